// A worker that can be called like a function.

export class Workshop {
  #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #last = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data: { id, result, error } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
  }

  /**
   * Run one of the worker's tasks.
   * @param {string} name
   * @param {object} given
   * @returns {Promise<any>}
   */
  do(name, given) {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, name, given });
    });
  }
}
