// From a file to its mask.

import { KeyError, fetchCut, inTurn } from "./server.js";
import { isTurnedWebp } from "./turned.js";

/** @typedef {import("./album.js").Picture} Picture */

export class Cutter {
  /**
   * @param {import("./album.js").Album} album
   * @param {import("./key.js").Key} key
   * @param {import("./workshop.js").Workshop} workshop
   */
  constructor(album, key, workshop) {
    this.album = album;
    this.key = key;
    this.workshop = workshop;
  }

  /**
   * Have a picture cut out by a tier; nothing happens if it is, or is under way.
   * @param {Picture} picture
   * @param {import("./models.js").Tier} tier
   */
  async cut(picture, tier) {
    const cut = picture.cut(tier);
    if (cut.state !== "new" && cut.state !== "failed") return;
    const tell = (state, percent = 0) => {
      Object.assign(cut, { state, percent });
      this.album.changed(picture);
    };
    tell("queued");
    try {
      await inTurn(() => this.#fetch(picture, cut, tier, tell));
      tell("done");
    } catch (error) {
      if (picture.removed.aborted) return;
      cut.error = error.message;
      tell("failed");
      if (error instanceof KeyError) this.key.ask(error.message);
    }
  }

  /** Try again whatever has failed. */
  retry(tier) {
    for (const picture of this.album.pictures) this.cut(picture, tier);
  }

  async #fetch(picture, cut, tier, tell) {
    const { file, removed: signal } = picture;
    signal.throwIfAborted();
    // What the browser cannot decode, or not rightly, the server must: its cut-out holds both colours and mask.
    const whole = picture.source === file && ((await isTurnedWebp(file)) || !(await canShow(picture.address)));
    if (whole) picture.shown = false;
    cut.answer = await fetchCut({ file, tier, whole, key: this.key.value, signal, tell });
    if (!whole) {
      cut.mask = cut.answer.blob;
      return;
    }
    const parts = await this.workshop.do("split", { cutout: cut.answer.blob });
    picture.replace(parts.picture);
    cut.mask = parts.mask;
  }
}

async function canShow(address) {
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
    return true;
  } catch {
    return false;
  }
}
