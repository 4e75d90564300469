// The pictures on the page and what is known of each.

/**
 * One tier's cut of a picture.
 * @typedef {object} Cut
 * @property {"new"|"queued"|"uploading"|"waiting"|"busy"|"done"|"failed"} state
 * @property {number} percent Of the upload.
 * @property {Blob|null} mask
 * @property {string} error
 * @property {import("./server.js").Answer|null} answer
 */

export class Picture {
  /** @type {Blob} What the browser can decode: the file, or what the server made of it. */
  source;
  /** Whether the browser can show the file itself. */
  shown = true;
  /** @type {Map<string, Cut>} By tier. */
  cuts = new Map();
  /** @type {import("./strokes.js").Stroke[]} */
  strokes = [];
  /** @type {import("./strokes.js").Stroke[]} */
  undone = [];
  #end = new AbortController();

  /** @param {File} file */
  constructor(file) {
    this.file = file;
    this.source = file;
    this.name = file.name || "pasted.png";
    this.address = URL.createObjectURL(file);
  }

  /** Aborted once the picture is removed. */
  get removed() {
    return this.#end.signal;
  }

  /** @returns {Cut} */
  cut(tier) {
    const made = this.cuts.get(tier.id) ?? { state: "new", percent: 0, mask: null, error: "", answer: null };
    this.cuts.set(tier.id, made);
    return made;
  }

  done(tier) {
    return this.cuts.get(tier.id)?.state === "done";
  }

  /** Show `blob` in place of a file that the browser cannot. */
  replace(blob) {
    URL.revokeObjectURL(this.address);
    this.source = blob;
    this.address = URL.createObjectURL(blob);
  }

  remove() {
    this.#end.abort(new DOMException("The picture was removed.", "AbortError"));
    URL.revokeObjectURL(this.address);
  }
}

/** Tells "change" with {picture} whenever one of them, or which is chosen, changes. */
export class Album extends EventTarget {
  /** @type {Picture[]} */
  pictures = [];
  /** @type {Picture|null} */
  chosen = null;

  add(picture) {
    this.pictures.push(picture);
    if (!this.chosen) this.chosen = picture;
    this.changed(picture);
  }

  choose(picture) {
    this.chosen = picture;
    this.changed(picture);
  }

  /** Remove a picture; its neighbour is chosen if it was. */
  remove(picture) {
    const at = this.pictures.indexOf(picture);
    this.pictures.splice(at, 1);
    picture.remove();
    if (this.chosen === picture) this.chosen = this.pictures[Math.min(at, this.pictures.length - 1)] ?? null;
    this.changed(picture);
  }

  changed(picture) {
    this.dispatchEvent(new CustomEvent("change", { detail: picture }));
  }
}
