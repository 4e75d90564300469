// Where the chosen picture is seen: before and after in two layers, under one slider or side by side.

import { Split } from "./split.js";
import { View } from "./view.js";

/** Tells "zoom" when the picture lies differently. */
export class Stage extends EventTarget {
  view = new View();

  /** @param {HTMLElement} element */
  constructor(element) {
    super();
    this.element = element;
    this.before = /** @type {HTMLElement} */ (element.querySelector(".before"));
    this.after = /** @type {HTMLElement} */ (element.querySelector(".after"));
    this.split = new Split(/** @type {HTMLElement} */ (element.querySelector("#handle")));
    this.split.addEventListener("change", () => this.place());
    new ResizeObserver(() => this.place()).observe(element);
    this.mode = "whole";
  }

  /** "whole": the original alone. "split" and "beside": before and after. "brush": after, on a faint original. */
  get mode() {
    return this.element.dataset.mode;
  }

  set mode(mode) {
    this.element.dataset.mode = mode;
    this.place();
  }

  /** @param {{width: number, height: number}} size Of the picture, in its own pixels. */
  resize(size) {
    this.view.picture = size;
    this.place();
  }

  zoomBy(factor, x, y) {
    this.view.zoomBy(factor, x, y);
    this.place();
  }

  moveBy(dx, dy) {
    this.view.moveBy(dx, dy);
    this.place();
  }

  fit() {
    this.view.fit();
    this.place();
  }

  /** Return an event's place in the frame that it lies in. */
  pointOf({ clientX, clientY }) {
    const { left, top } = this.element.getBoundingClientRect();
    const x = clientX - left;
    return [this.mode === "beside" ? x % this.view.frame.width : x, clientY - top];
  }

  /** Bring everything to where the view says. */
  place() {
    const { clientWidth, clientHeight } = this.after;
    if (!clientWidth || !clientHeight) return;
    this.view.frame = { width: clientWidth, height: clientHeight };
    const rect = this.view.rect;
    for (const layer of [this.before, this.after]) {
      const { style } = /** @type {HTMLElement} */ (layer.firstElementChild);
      for (const side of ["left", "top", "width", "height"]) style.setProperty(side, `${rect[side]}px`);
    }
    if (this.mode === "split") this.split.place(this.view.span, this.before);
    else this.before.style.clipPath = "";
    this.element.dataset.zoomed = String(this.view.zoom > 1);
    this.dispatchEvent(new Event("zoom"));
  }
}
