// WebP files that say in their EXIF how to turn them. Chromium does so for every other format, and shows these as they
// are stored, while the server turns all: picture and mask would not fit.

const ORIENTATION = 0x0112;

/**
 * Say whether a file is a WebP that has to be turned to stand upright.
 * @param {Blob} file
 * @returns {Promise<boolean>}
 */
export async function isTurnedWebp(file) {
  const head = await read(file, 0, 16);
  if (word(head, 0) !== "RIFF" || word(head, 8) !== "WEBP" || word(head, 12) !== "VP8X") return false;
  for (let at = 12; at + 8 <= file.size; ) {
    const chunk = await read(file, at, 8);
    const size = chunk.getUint32(4, true);
    if (word(chunk, 0) === "EXIF") return orientation(await read(file, at + 8, size)) > 1;
    at += 8 + size + (size % 2);
  }
  return false;
}

/** Return what EXIF says of turning; 1, which is upright, where it cannot be read. */
function orientation(exif) {
  try {
    const start = word(exif, 0) === "Exif" ? 6 : 0;
    const little = word(exif, start).startsWith("II");
    const list = start + exif.getUint32(start + 4, little);
    for (let entry = 0; entry < exif.getUint16(list, little); entry += 1) {
      const at = list + 2 + 12 * entry;
      if (exif.getUint16(at, little) === ORIENTATION) return exif.getUint16(at + 8, little);
    }
  } catch {
    // It ends before it should, and says nothing.
  }
  return 1;
}

async function read(file, at, size) {
  return new DataView(await file.slice(at, at + size).arrayBuffer());
}

function word(view, at) {
  return [0, 1, 2, 3].map((i) => (at + i < view.byteLength ? String.fromCharCode(view.getUint8(at + i)) : "")).join("");
}
