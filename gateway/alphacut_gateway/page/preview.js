// One side of the stage: a picture, cut out by one tier, at a size that can be worked on while controls move.

import { compose } from "./compose.js";
import { Mend } from "./strokes.js";

const SIDE = 1600;

export class Preview {
  #alpha = new Uint8Array();
  #shown = new Uint8Array();
  #turn = 0;
  /** @type {{picture: import("./album.js").Picture, cut: import("./album.js").Cut}|null} */
  subject = null;
  /** @type {ImageBitmap|null} Nothing while another picture is being opened. */
  original = null;
  /** Resolves once what was opened last is to be seen. */
  opening = Promise.resolve();
  /** @type {ImageBitmap|null} */
  own = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./workshop.js").Workshop} workshop
   */
  constructor(canvas, workshop) {
    this.canvas = canvas;
    this.workshop = workshop;
    this.mend = new Mend(1, 1);
    this.mask = new Uint8Array();
    this.width = this.height = 1;
  }

  /**
   * Show a cut; resolves once it is to be seen, or something else is to be shown by then.
   * @param {import("./album.js").Picture} picture
   * @param {import("./album.js").Cut} cut
   * @param {import("./look.js").Look} look
   */
  async open(picture, cut, look) {
    this.#turn += 1;
    const turn = this.#turn;
    this.subject = { picture, cut };
    this.original?.close();
    this.original = null;
    const made = await this.workshop.do("preview", { source: picture.source, mask: cut.mask, side: SIDE });
    if (turn !== this.#turn) return made.picture.close();
    this.original = made.picture;
    Object.assign(this, { mask: made.mask, width: made.width, height: made.height });
    this.mend = Mend.of(picture.strokes, made.width, made.height);
    return this.shape(look);
  }

  /** Shape the edge anew, of what is open; of several calls at a time the last one counts. */
  async shape(look) {
    if (!this.original) return;
    this.#turn += 1;
    const turn = this.#turn;
    const { mask, width, height } = this;
    const alpha = await this.workshop.do("shape", { mask, width, height, edge: look.edge });
    if (turn !== this.#turn) return;
    const own = look.background.kind === "picture" ? await createImageBitmap(look.background.picture) : null;
    if (turn !== this.#turn) return;
    this.#alpha = alpha;
    this.#shown = alpha.slice();
    this.own?.close();
    this.own = own;
    this.canvas.width = width;
    this.canvas.height = height;
    this.draw(look, this.mend.whole());
  }

  /** Draw the strokes anew, after one has been taken back. */
  remend(look) {
    this.mend = Mend.of(this.subject.picture.strokes, this.width, this.height);
    this.draw(look, this.mend.whole());
  }

  /**
   * Show the mask as it is mended now.
   * @param {import("./look.js").Look} look
   * @param {import("./strokes.js").Box} box Where it has changed.
   * @param {import("./strokes.js").Stroke=} stroke One that is not finished.
   */
  draw(look, box, stroke) {
    if (!this.original) return;
    this.mend.apply(this.#alpha, this.#shown, box, stroke);
    compose(this.canvas, this.original, this.#shown, look.background, this.own);
  }

  close() {
    this.#turn += 1;
    this.subject = null;
  }
}
