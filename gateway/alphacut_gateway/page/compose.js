// A picture, its alpha and a background become what is shown and saved.

import { paintBehind } from "./backdrop.js";

/**
 * Draw a cut-out on a canvas of the size of `alpha`.
 * @param {OffscreenCanvas|HTMLCanvasElement} canvas
 * @param {CanvasImageSource} original
 * @param {Uint8Array} alpha
 * @param {import("./backdrop.js").Background} background
 * @param {ImageBitmap|null} own
 */
export function compose(canvas, original, alpha, background, own) {
  const { width, height } = canvas;
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.globalCompositeOperation = "copy";
  context.drawImage(original, 0, 0, width, height);
  context.globalCompositeOperation = "destination-in"; // keeps the transparency that the picture had itself
  context.drawImage(veil(alpha, width, height), 0, 0);
  context.globalCompositeOperation = "source-over";
  paintBehind(context, background, original, own);
}

function veil(alpha, width, height) {
  const image = new ImageData(width, height);
  for (let at = 0, to = 3; at < alpha.length; at += 1, to += 4) image.data[to] = alpha[at];
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
