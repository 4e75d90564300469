// The brush: mends the mask by hand, with a pointer, a finger or keys.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEY_STEP = 12;
const byId = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));

/** Tells "stroke" when one is finished or taken back, "say" with a text for screen readers. */
export class Brush extends EventTarget {
  /** @type {import("./strokes.js").Stroke|null} */
  #stroke = null;
  #drawn = 0;
  #box = { left: Infinity, top: Infinity, right: 0, bottom: 0 };
  #frame = 0;
  /** Where it is in the frame, in CSS pixels. */
  #at = [NaN, NaN];

  /**
   * @param {import("./stage.js").Stage} stage
   * @param {import("./preview.js").Preview} preview
   * @param {import("./look.js").Look} look
   */
  constructor(stage, preview, look) {
    super();
    this.stage = stage;
    this.preview = preview;
    this.look = look;
    this.ring = byId("ring");
    this.form = /** @type {HTMLFormElement} */ (document.querySelector("#brush-settings"));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("input", () => this.#place());
    stage.addEventListener("zoom", () => this.#place());
  }

  /** Radius on the screen, in CSS pixels; the nearer one looks, the finer one works. */
  get radius() {
    return Number(byId("brush-size").value) / 2;
  }

  get on() {
    return this.stage.mode === "brush";
  }

  hover(x, y) {
    this.#at = [x, y];
    this.#place();
  }

  leave() {
    if (!this.#stroke) this.ring.hidden = true;
  }

  down(x, y) {
    if (!this.preview.original) return;
    const { width, height } = this.stage.view.rect;
    this.#stroke = {
      restore: this.form.elements["deed"].value === "restore",
      radius: this.radius / Math.max(width, height),
      softness: Number(byId("brush-soft").value) / 100,
      points: [],
    };
    this.#drawn = 0;
    this.moveTo(x, y);
  }

  moveTo(x, y) {
    this.hover(x, y);
    if (!this.#stroke) return;
    const { left, top, width, height } = this.stage.view.rect;
    const side = Math.max(width, height);
    this.#stroke.points.push((x - left) / side, (y - top) / side);
    this.#frame ||= requestAnimationFrame(() => this.#paint());
  }

  up() {
    if (!this.#stroke) return;
    this.#paint();
    const { picture } = this.preview.subject;
    this.preview.mend.finish(this.#stroke, this.#box);
    picture.strokes.push(this.#stroke);
    picture.undone.length = 0;
    this.#end();
  }

  /** Forget a stroke that is not finished. */
  cancel() {
    if (!this.#stroke) return;
    this.preview.mend.cover.fill(0);
    this.#end();
    this.preview.draw(this.look, this.preview.mend.whole());
  }

  undo() {
    this.#takeBack("strokes", "undone", "Undone");
  }

  redo() {
    this.#takeBack("undone", "strokes", "Done again");
  }

  /** Act on a key; return whether it means anything to the brush. */
  key(key) {
    const arrow = ARROWS[key];
    if (arrow) this.#step(arrow);
    else if (key === " " || key === "Enter") this.#toggle();
    else if (key === "[" || key === "]") {
      byId("brush-size").value = String(2 * this.radius + (key === "]" ? 6 : -6));
      this.#place();
    } else if (key === "Escape") this.cancel();
    else return false;
    return true;
  }

  #step([x, y]) {
    const { width, height } = this.stage.view.frame;
    const [nowX, nowY] = Number.isNaN(this.#at[0]) ? [width / 2, height / 2] : this.#at;
    const next = [nowX + KEY_STEP * x, nowY + KEY_STEP * y];
    this.moveTo(Math.min(width, Math.max(0, next[0])), Math.min(height, Math.max(0, next[1])));
  }

  #toggle() {
    if (this.#stroke) this.up();
    else {
      if (Number.isNaN(this.#at[0])) this.#step([0, 0]);
      this.down(...this.#at);
    }
    this.#say(this.#stroke ? "Brush down" : "Brush up");
  }

  #paint() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!this.#stroke) return;
    const box = this.preview.mend.draw(this.#stroke, this.#drawn);
    this.#drawn = this.#stroke.points.length / 2;
    this.#box = {
      left: Math.min(this.#box.left, box.left),
      top: Math.min(this.#box.top, box.top),
      right: Math.max(this.#box.right, box.right),
      bottom: Math.max(this.#box.bottom, box.bottom),
    };
    this.preview.draw(this.look, box, this.#stroke);
  }

  #end() {
    this.#stroke = null;
    this.#box = { left: Infinity, top: Infinity, right: 0, bottom: 0 };
    this.dispatchEvent(new Event("stroke"));
  }

  #takeBack(from, to, word) {
    if (this.#stroke) return this.cancel(); // the one that is being drawn is what is meant
    const picture = this.preview.subject?.picture;
    const stroke = picture?.[from].pop();
    if (!stroke) return;
    picture[to].push(stroke);
    this.preview.remend(this.look);
    this.#say(word);
    this.dispatchEvent(new Event("stroke"));
  }

  #say(text) {
    this.dispatchEvent(new CustomEvent("say", { detail: text }));
  }

  #place() {
    const [x, y] = this.#at;
    this.ring.hidden = !this.on || Number.isNaN(x);
    Object.assign(this.ring.style, {
      left: `${x - this.radius}px`,
      top: `${y - this.radius}px`,
      width: `${2 * this.radius}px`,
      height: `${2 * this.radius}px`,
    });
  }
}
