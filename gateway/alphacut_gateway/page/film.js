// The strip of all pictures below the stage.

const WORDS = { new: "waits", queued: "waits", uploading: "goes up", waiting: "is cut out", busy: "server busy", done: "done", failed: "failed" };

export class Film {
  /** @type {Map<import("./album.js").Picture, HTMLLIElement>} */
  #shots = new Map();

  /**
   * @param {HTMLElement} list
   * @param {HTMLTemplateElement} template
   * @param {import("./album.js").Album} album
   */
  constructor(list, template, album) {
    this.list = list;
    this.template = template;
    this.album = album;
  }

  /** Show the album as it is now, `tier`'s cuts being the ones that count. */
  refresh(tier) {
    for (const [picture, shot] of this.#shots) {
      if (this.album.pictures.includes(picture)) continue;
      shot.remove();
      this.#shots.delete(picture);
    }
    for (const picture of this.album.pictures) this.#write(picture, tier);
  }

  #write(picture, tier) {
    const shot = this.#shots.get(picture) ?? this.#make(picture);
    const { state, percent } = picture.cut(tier);
    const show = shot.querySelector(".show");
    show.ariaCurrent = String(picture === this.album.chosen);
    shot.dataset.state = state;
    shot.querySelector("img").src = picture.address;
    shot.querySelector(".state").textContent = state === "uploading" ? `${Math.round(percent)} %` : WORDS[state];
  }

  #make(picture) {
    const shot = /** @type {HTMLLIElement} */ (this.template.content.firstElementChild.cloneNode(true));
    shot.querySelector(".name").textContent = picture.name;
    shot.querySelector(".show").addEventListener("click", () => this.album.choose(picture));
    const drop = shot.querySelector(".drop-it");
    drop.ariaLabel = `Remove ${picture.name}`;
    drop.addEventListener("click", () => this.#remove(picture));
    this.list.append(shot);
    this.#shots.set(picture, shot);
    return shot;
  }

  /** The focus goes on to a neighbour, or it would be lost. */
  #remove(picture) {
    const shot = this.#shots.get(picture);
    const next = shot.nextElementSibling ?? shot.previousElementSibling;
    this.album.remove(picture);
    const target = /** @type {HTMLElement} */ (next?.querySelector(".drop-it") ?? document.getElementById("files"));
    target.focus();
  }
}
