// Work on pixels, away from the page's own thread. Every task stands alone: nothing is remembered between two.

import { compose } from "./compose.js";
import { shape } from "./edge.js";
import { readPng } from "./png.js";
import { Mend } from "./strokes.js";

const tasks = {
  /** Return picture and mask at the size of the preview. */
  async preview({ source, mask, side }) {
    const [picture, grey] = await Promise.all([createImageBitmap(source), createImageBitmap(mask)]);
    const shrink = Math.min(1, side / Math.max(picture.width, picture.height));
    const width = Math.max(1, Math.round(picture.width * shrink));
    const height = Math.max(1, Math.round(picture.height * shrink));
    const small = draw(picture, width, height).canvas.transferToImageBitmap();
    return { width, height, picture: small, mask: read(grey, width, height) };
  },

  /** Return alpha: the mask as the edge controls shape it. */
  shape({ mask, width, height, edge }) {
    return shape(mask, width, height, edge);
  },

  /** Return a file of the cut-out at full size. */
  async file({ source, mask, edge, strokes, background, type, quality }) {
    const [picture, grey] = await Promise.all([createImageBitmap(source), createImageBitmap(mask)]);
    const { width, height } = picture;
    const alpha = shape(read(grey, width, height), width, height, edge);
    if (strokes.length) {
      const mend = Mend.of(strokes, width, height);
      mend.apply(alpha, alpha, mend.whole());
    }
    const own = background.kind === "picture" ? await createImageBitmap(background.picture) : null;
    const canvas = new OffscreenCanvas(width, height);
    compose(canvas, picture, alpha, background, own);
    const blob = await canvas.convertToBlob({ type, quality });
    if (blob.type !== type) throw new Error(`This browser cannot write ${type.slice(6).toUpperCase()}; choose PNG.`);
    return blob;
  },

  /** Split a cut-out from the server into the picture, opaque, and its mask, as two files. */
  async split({ cutout }) {
    const { width, height, pixels } = await readPng(cutout);
    const mask = new Uint8ClampedArray(pixels.length);
    for (let at = 0; at < pixels.length; at += 4) {
      mask[at] = mask[at + 1] = mask[at + 2] = pixels[at + 3];
      mask[at + 3] = pixels[at + 3] = 255;
    }
    const [picture, grey] = await Promise.all([pixels, mask].map((data) => save(new ImageData(data, width, height))));
    return { picture, mask: grey };
  },
};

function draw(bitmap, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context;
}

/** Return a grey picture's one channel. */
function read(bitmap, width, height) {
  const { data } = draw(bitmap, width, height).getImageData(0, 0, width, height);
  const grey = new Uint8Array(width * height);
  for (let at = 0; at < grey.length; at += 1) grey[at] = data[4 * at];
  return grey;
}

function save(image) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

addEventListener("message", async ({ data: { id, name, given } }) => {
  try {
    postMessage({ id, result: await tasks[name](given) });
  } catch (error) {
    postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
