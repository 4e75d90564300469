// The handle between before and after: a slider for pointers, fingers, keys and screen readers.

const KEYS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 };

/** Tells "change" when it has moved. */
export class Split extends EventTarget {
  /** Percent of the picture, from the left, that shows what was before. */
  value = 50;

  /** @param {HTMLElement} handle */
  constructor(handle) {
    super();
    this.handle = handle;
    handle.addEventListener("keydown", (event) => {
      const step = KEYS[event.key];
      if (step === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.set(this.value + step);
    });
  }

  set(value) {
    this.value = Math.round(Math.min(100, Math.max(0, value)));
    this.handle.ariaValueNow = String(this.value);
    this.handle.ariaValueText = `${this.value} % before, ${100 - this.value} % after`;
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Lay the handle where its value says and cut the layer above off there.
   * @param {number[]} span The picture's visible part, from left to right.
   * @param {HTMLElement} before
   */
  place([left, right], before) {
    const at = left + ((right - left) * this.value) / 100;
    this.handle.style.left = `${at}px`;
    before.style.clipPath = `inset(0 calc(100% - ${at}px) 0 0)`;
  }

  /**
   * Move the handle to a place in the frame.
   * @param {number} x
   * @param {number[]} span
   */
  moveTo(x, [left, right]) {
    this.set((100 * (x - left)) / (right - left));
  }
}
