// A picture and its mask become a cut-out, here in the browser.

/** Draw `bitmap` cut out by `mask` (grey, bright is subject) on `canvas`, at the picture's full size. */
export function drawCutout(canvas, bitmap, mask, look) {
  const { width, height } = bitmap;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const alpha = readMask(mask, width, height, look.feather);
  const table = edgeTable(look.edge);
  context.drawImage(bitmap, 0, 0);
  const picture = context.getImageData(0, 0, width, height);
  const pixels = picture.data;
  for (let at = 0; at < pixels.length; at += 4) {
    pixels[at + 3] = (pixels[at + 3] * table[alpha[at]] + 127) / 255;
  }
  context.putImageData(picture, 0, 0);
  if (look.background) {
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = look.background;
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "source-over";
  }
}

/** Return the canvas as a file. */
export function toFile(canvas, type) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob?.type === type ? resolve(blob) : reject(new Error(`No ${type} in this browser.`))), type, 0.9);
  });
}

function readMask(mask, width, height, feather) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (feather > 0) context.filter = `blur(${(feather * Math.max(width, height)) / 1000}px)`;
  context.drawImage(mask, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

/** Map mask values so that the edge moves outwards (edge > 0) or inwards (edge < 0); 0 and 255 stay. */
function edgeTable(edge) {
  const exponent = 2 ** (-edge / 40);
  return Uint8ClampedArray.from({ length: 256 }, (_, value) => 255 * (value / 255) ** exponent);
}
