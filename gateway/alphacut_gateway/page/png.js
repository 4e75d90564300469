// The server's PNG taken apart. Reading it through a canvas would lose the colours under transparent pixels, and with
// them the original of a file that this browser cannot show.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Return the pixels of a PNG with 8 bits of red, green, blue and alpha, as the server writes cut-outs.
 * @param {Blob} blob
 * @returns {Promise<{width: number, height: number, pixels: Uint8ClampedArray<ArrayBuffer>}>}
 */
export async function readPng(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const view = new DataView(bytes.buffer);
  if (SIGNATURE.some((value, at) => bytes[at] !== value)) throw new Error("The server's answer is no PNG.");
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (bytes[24] !== 8 || bytes[25] !== 6 || bytes[28] !== 0) throw new Error("The server's PNG has another layout.");
  const packed = [];
  for (let at = 8; at < bytes.length; at += 12 + view.getUint32(at)) {
    if (view.getUint32(at + 4) === 0x49444154) packed.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  const stream = new Blob(packed).stream().pipeThrough(new DecompressionStream("deflate"));
  const lines = new Uint8Array(await new Response(stream).arrayBuffer());
  return { width, height, pixels: unfilter(lines, width, height) };
}

function unfilter(lines, width, height) {
  const row = 4 * width;
  const pixels = new Uint8ClampedArray(row * height);
  for (let y = 0; y < height; y += 1) {
    const from = y * (row + 1) + 1;
    const to = y * row;
    const filter = lines[from - 1];
    for (let x = 0; x < row; x += 1) {
      const left = x >= 4 ? pixels[to + x - 4] : 0;
      const up = y > 0 ? pixels[to + x - row] : 0;
      const corner = x >= 4 && y > 0 ? pixels[to + x - row - 4] : 0;
      pixels[to + x] = (lines[from + x] + predicted(filter, left, up, corner)) & 255;
    }
  }
  return pixels;
}

function predicted(filter, left, up, corner) {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const guess = left + up - corner;
  const [toLeft, toUp, toCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
