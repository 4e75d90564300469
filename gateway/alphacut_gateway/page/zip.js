// Zip archives that store without compressing: pictures are compressed already.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
const UTF8_NAMES = 0x0800;
const LIMIT = 0xffffffff;

/** Return the CRC-32 of bytes, as zip and PNG reckon it. */
export function crc32(bytes) {
  let crc = ~0;
  for (let at = 0; at < bytes.length; at += 1) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[at]) & 255];
  return ~crc >>> 0;
}

/**
 * Return an archive of files; of equal names the later ones are numbered.
 * @param {{name: string, blob: Blob}[]} files
 * @param {Date} when What the archive says its files were made.
 * @returns {Promise<Blob>}
 */
export async function zip(files, when = new Date()) {
  const parts = [];
  const directory = [];
  const taken = new Set();
  let offset = 0;
  for (const { name, blob } of files) {
    const path = new TextEncoder().encode(unused(name, taken));
    const entry = [20, UTF8_NAMES, 0, ...stamp(when), crc32(new Uint8Array(await blob.arrayBuffer())), blob.size, blob.size];
    const header = record("4sHHHHHIIIHH", 0x04034b50, ...entry, path.length, 0);
    directory.push(record("4sHHHHHHIIIHHHHHII", 0x02014b50, 20, ...entry, path.length, 0, 0, 0, 0, 0, offset), path);
    parts.push(header, path, blob);
    offset += header.length + path.length + blob.size;
    if (offset > LIMIT) throw new Error("Together the pictures are larger than 4 GB; download them in smaller groups.");
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = record("4sHHHHIIH", 0x06054b50, 0, 0, files.length, files.length, size, offset, 0);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** Lay numbers out as little-endian H (2 bytes) and I or 4s (4 bytes), as Python's struct has it. */
function record(layout, ...values) {
  const sizes = layout.match(/4s|H|I/g).map((kind) => (kind === "H" ? 2 : 4));
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  sizes.forEach((size, index) => {
    if (size === 2) view.setUint16(at, values[index], true);
    else view.setUint32(at, values[index], true);
    at += size;
  });
  return bytes;
}

function stamp(when) {
  const time = (when.getHours() << 11) | (when.getMinutes() << 5) | (when.getSeconds() >> 1);
  const date = ((when.getFullYear() - 1980) << 9) | ((when.getMonth() + 1) << 5) | when.getDate();
  return [time, date];
}

function unused(name, taken) {
  const dot = name.lastIndexOf(".");
  let free = name;
  for (let number = 2; taken.has(onDisk(free)); number += 1) free = `${name.slice(0, dot)} (${number})${name.slice(dot)}`;
  taken.add(onDisk(free));
  return free;
}

/** Return what is equal for names that Windows or macOS take for one. */
function onDisk(name) {
  return name.normalize("NFC").toLowerCase();
}
