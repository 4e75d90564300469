// Files for the user: one, all in a zip, or one on the clipboard.

import { zip } from "./zip.js";

const WEBP_QUALITY = 0.9;

export class Saver {
  /**
   * @param {import("./workshop.js").Workshop} workshop One of its own, so that the preview does not wait for files.
   * @param {import("./look.js").Look} look
   */
  constructor(workshop, look) {
    this.workshop = workshop;
    this.look = look;
  }

  /** Save one picture. */
  async one(picture, tier) {
    save(await this.#file(picture, tier, this.look.type), nameOf(picture, this.look.type));
  }

  /** Save all that are done in a zip; `tell` hears how many are made. */
  async all(pictures, tier, tell) {
    const files = [];
    for (const picture of pictures) {
      tell(files.length, pictures.length);
      files.push({ name: nameOf(picture, this.look.type), blob: await this.#file(picture, tier, this.look.type) });
    }
    save(await zip(files), "cutouts.zip");
  }

  /** Put one picture on the clipboard. */
  async copy(picture, tier) {
    const blob = this.#file(picture, tier, "image/png");
    await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
  }

  #file({ source, strokes, cuts }, tier, type) {
    const { mask } = cuts.get(tier.id);
    const { edge, background } = this.look;
    return this.workshop.do("file", { source, mask, edge, strokes, background, type, quality: WEBP_QUALITY });
  }
}

/** Return the picture's own name with what was made of it. */
export function nameOf({ name }, type) {
  return `${name.replace(/\.[^.]*$/, "")}-cutout.${type.slice(6)}`;
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
