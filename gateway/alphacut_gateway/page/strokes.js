// Strokes of the brush as geometry: drawn anew at whatever size, so that a mend made in the preview is sharp in the
// full picture. Lengths are in units of the picture's longer side.

/**
 * @typedef {object} Stroke
 * @property {boolean} restore Whether it brings the picture back; otherwise it erases.
 * @property {number} radius
 * @property {number} softness 0 for a hard edge to 1 for one that falls off from the middle.
 * @property {number[]} points x, y, x, y...
 */

/**
 * @typedef {{left: number, top: number, right: number, bottom: number}} Box  Pixels; right and bottom are outside.
 */

/** What strokes do to a mask: alpha * keep + add. */
export class Mend {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.keep = new Uint8Array(width * height).fill(255);
    this.add = new Uint8Array(width * height);
    this.cover = new Uint8Array(width * height);
  }

  /** Draw all of `strokes`. */
  static of(strokes, width, height) {
    const mend = new Mend(width, height);
    for (const stroke of strokes) mend.finish(stroke, mend.draw(stroke, 0));
    return mend;
  }

  /**
   * Cover what the stroke covers from its point number `from` on. A stroke covers no more where it crosses itself.
   * @param {Stroke} stroke
   * @param {number} from
   * @returns {Box}
   */
  draw(stroke, from) {
    const side = Math.max(this.width, this.height);
    const points = stroke.points;
    let box = nothing();
    const dot = points.length === 2;
    for (let at = 2 * Math.max(from - 1, 0); at + 3 < points.length || (dot && at === 0); at += 2) {
      const next = dot ? at : at + 2;
      const ends = [points[at], points[at + 1], points[next], points[next + 1]].map((value) => value * side);
      box = union(box, this.segment(ends, stroke.radius * side, stroke.softness));
    }
    return box;
  }

  /** Make a covered stroke part of the mend. */
  finish(stroke, box) {
    this.each(box, (at) => {
      const cover = this.cover[at];
      if (cover === 0) return;
      this.keep[at] = (this.keep[at] * (255 - cover) + 127) / 255;
      this.add[at] = (this.add[at] * (255 - cover) + (stroke.restore ? 255 * cover : 0) + 127) / 255;
      this.cover[at] = 0;
    });
  }

  /**
   * Write the mended `alpha` into `target` within `box`, with a stroke that is not finished on top.
   * @param {Uint8Array} alpha
   * @param {Uint8Array} target
   * @param {Box} box
   * @param {Stroke=} stroke
   */
  apply(alpha, target, box, stroke) {
    const value = stroke?.restore ? 255 : 0;
    this.each(box, (at) => {
      const mended = (alpha[at] * this.keep[at]) / 255 + this.add[at];
      const cover = stroke ? this.cover[at] : 0;
      target[at] = Math.min(255, (mended * (255 - cover) + value * cover) / 255 + 0.5);
    });
  }

  whole() {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  each({ left, top, right, bottom }, visit) {
    for (let y = top; y < bottom; y += 1) {
      for (let at = y * this.width + left, end = y * this.width + right; at < end; at += 1) visit(at);
    }
  }

  /**
   * Cover what lies nearer than `radius` to a straight line.
   * @param {number[]} ends In pixels.
   * @param {number} radius
   * @param {number} softness
   * @returns {Box}
   */
  segment([x0, y0, x1, y1], radius, softness) {
    const inner = Math.max(0, Math.min(radius * (1 - softness), radius - 1));
    const box = {
      left: Math.max(0, Math.floor(Math.min(x0, x1) - radius)),
      top: Math.max(0, Math.floor(Math.min(y0, y1) - radius)),
      right: Math.min(this.width, Math.ceil(Math.max(x0, x1) + radius)),
      bottom: Math.min(this.height, Math.ceil(Math.max(y0, y1) + radius)),
    };
    const [dx, dy] = [x1 - x0, y1 - y0];
    const length2 = dx * dx + dy * dy;
    this.each(box, (at) => {
      const x = (at % this.width) + 0.5 - x0;
      const y = Math.floor(at / this.width) + 0.5 - y0;
      const along = length2 > 0 ? Math.max(0, Math.min(1, (x * dx + y * dy) / length2)) : 0;
      const far = Math.hypot(x - along * dx, y - along * dy);
      if (far >= radius) return;
      const rest = far <= inner ? 1 : (radius - far) / (radius - inner);
      const cover = 255 * rest * rest * (3 - 2 * rest) + 0.5;
      if (cover > this.cover[at]) this.cover[at] = cover;
    });
    return box;
  }
}

function nothing() {
  return { left: Infinity, top: Infinity, right: 0, bottom: 0 };
}

export function union(a, b) {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}
