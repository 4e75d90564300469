// What lies behind a cut-out.

import { blur } from "./lines.js";

const SIDE = 320;

/**
 * @typedef {object} Background
 * @property {"none"|"color"|"picture"|"blur"} kind
 * @property {string} color
 * @property {number} strength Of the blur, in thousandths of the longer side.
 * @property {Blob|null} picture
 */

/**
 * Paint a background behind what is on a canvas.
 * @param {OffscreenCanvasRenderingContext2D} context
 * @param {Background} background
 * @param {CanvasImageSource} original The whole picture.
 * @param {ImageBitmap|null} own The background's picture, decoded.
 */
export function paintBehind(context, background, original, own) {
  const { width, height } = context.canvas;
  context.globalCompositeOperation = "destination-over";
  context.imageSmoothingQuality = "high";
  if (background.kind === "color") {
    context.fillStyle = background.color;
    context.fillRect(0, 0, width, height);
  } else if (background.kind === "picture" && own) {
    const scale = Math.max(width / own.width, height / own.height);
    const [w, h] = [own.width * scale, own.height * scale];
    context.drawImage(own, (width - w) / 2, (height - h) / 2, w, h);
  } else if (background.kind === "blur") {
    context.drawImage(blurred(context, original, background.strength), 0, 0, width, height);
  }
  context.globalCompositeOperation = "source-over";
}

/**
 * Return the picture's background, blurred, at a small size. The subject is left out of the averages, weighted by
 * what of it the canvas shows, so that it has no halo of its own colours.
 */
function blurred(context, original, strength) {
  const { width, height } = context.canvas;
  const shrink = SIDE / Math.max(width, height);
  const [w, h] = [Math.max(1, Math.round(width * shrink)), Math.max(1, Math.round(height * shrink))];
  const cutout = pixelsOf(context.canvas, w, h);
  const canvas = new OffscreenCanvas(w, h);
  const image = pixelsOf(original, w, h);
  const weight = Uint8Array.from({ length: w * h }, (_, at) => 255 - cutout.data[4 * at + 3]);
  const reach = Math.max(1, Math.round((strength / 1000) * SIDE));
  const spread = weight.slice();
  blur(spread, w, h, reach);
  for (let channel = 0; channel < 3; channel += 1) {
    const light = weight.map((value, at) => (image.data[4 * at + channel] * value) / 255 + 0.5);
    blur(light, w, h, reach);
    for (let at = 0; at < light.length; at += 1) {
      // Deep inside the subject there is nothing to average, and nothing to see either.
      if (spread[at] > 0) image.data[4 * at + channel] = (255 * light[at]) / spread[at];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function pixelsOf(source, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
