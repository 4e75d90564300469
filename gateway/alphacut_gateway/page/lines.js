// Filters that run along the lines of a picture of one byte a pixel, in place.

/**
 * Spread the largest value `reach` pixels both ways along one line: van Herk's and Gil and Werman's maximum filter,
 * whose time does not depend on the reach. Beyond the ends counts as 0.
 * @param {Uint8Array} pixels
 * @param {number} start Index of the line's first pixel.
 * @param {number} stride From one pixel of the line to the next.
 * @param {number} count Pixels in the line.
 * @param {number} reach
 * @param {[Uint8Array, Uint8Array]} room Two buffers of at least count + 2 * reach.
 */
function spreadLine(pixels, start, stride, count, reach, [rising, falling]) {
  const block = 2 * reach + 1;
  const padded = count + 2 * reach;
  for (let i = 0, at = start - reach * stride; i < padded; i += 1, at += stride) {
    const value = i < reach || i >= reach + count ? 0 : pixels[at];
    rising[i] = i % block === 0 || value > rising[i - 1] ? value : rising[i - 1];
    falling[i] = value;
  }
  for (let i = padded - 2; i >= 0; i -= 1) {
    if (i % block !== block - 1 && falling[i + 1] > falling[i]) falling[i] = falling[i + 1];
  }
  for (let i = 0, at = start; i < count; i += 1, at += stride) {
    const ahead = rising[i + 2 * reach];
    pixels[at] = falling[i] > ahead ? falling[i] : ahead;
  }
}

/** Average each pixel of a line with its `reach` neighbours both ways; beyond the ends the last one repeats. */
function averageLine(pixels, start, stride, count, reach, [line]) {
  for (let i = 0, at = start; i < count; i += 1, at += stride) line[i] = pixels[at];
  const block = 2 * reach + 1;
  const first = line[0];
  const last = line[count - 1];
  let sum = first * (reach + 1) + (block >> 1);
  for (let i = 0; i < reach; i += 1) sum += i + 1 < count ? line[i + 1] : last;
  // `sum` is the first window's, and half a window more so that the division rounds.
  for (let i = 0, at = start; i < count; i += 1, at += stride) {
    pixels[at] = sum / block;
    sum += (i + reach + 1 < count ? line[i + reach + 1] : last) - (i - reach >= 0 ? line[i - reach] : first);
  }
}

function* rows(width, height) {
  for (let y = 0; y < height; y += 1) yield [y * width, 1, width];
}

function* columns(width, height) {
  for (let x = 0; x < width; x += 1) yield [x, width, height];
}

function* falls(width, height) {
  for (let x = 0; x < width; x += 1) yield [x, width + 1, Math.min(width - x, height)];
  for (let y = 1; y < height; y += 1) yield [y * width, width + 1, Math.min(width, height - y)];
}

function* climbs(width, height) {
  for (let x = 0; x < width; x += 1) yield [x, width - 1, Math.min(x + 1, height)];
  for (let y = 1; y < height; y += 1) yield [(y + 1) * width - 1, width - 1, Math.min(width, height - y)];
}

function along(lines, filter, pixels, width, height, reach) {
  const length = Math.max(width, height) + 2 * reach;
  const room = [new Uint8Array(length), new Uint8Array(length)];
  for (const [start, stride, count] of lines(width, height)) filter(pixels, start, stride, count, reach, room);
}

/**
 * Grow what is bright by an octagon of the given radius, which is the nearest to a disc that lines can do.
 * @param {Uint8Array} pixels Changed in place.
 * @param {number} width
 * @param {number} height
 * @param {number} radius In whole pixels.
 */
export function grow(pixels, width, height, radius) {
  // Both slanted lines together reach twice as far along an axis. Rounding down leaves the straight ones at least a
  // pixel, without which the slanted ones would meet every second pixel only.
  const slanted = Math.floor(radius * (1 - Math.SQRT1_2));
  const straight = radius - 2 * slanted;
  for (const lines of [rows, columns]) along(lines, spreadLine, pixels, width, height, straight);
  if (slanted === 0) return;
  // The way along both slants may lead over pixels beside the picture.
  const [wide, high] = [width + 2 * slanted, height + 2 * slanted];
  const padded = new Uint8Array(wide * high);
  const row = (y) => (y + slanted) * wide + slanted;
  for (let y = 0; y < height; y += 1) padded.set(pixels.subarray(y * width, (y + 1) * width), row(y));
  for (const lines of [falls, climbs]) along(lines, spreadLine, padded, wide, high, slanted);
  for (let y = 0; y < height; y += 1) pixels.set(padded.subarray(row(y), row(y) + width), y * width);
}

/** Blur in place: three averages of `2 * radius + 1` pixels each way, close to a Gaussian of deviation radius + 0.5. */
export function blur(pixels, width, height, radius) {
  for (let round = 0; round < 3; round += 1) {
    for (const lines of [rows, columns]) along(lines, averageLine, pixels, width, height, radius);
  }
}
