// The controls for what all pictures have in common: background, edge, file format.

const COLORS = {
  White: "#ffffff", "Light grey": "#e5e7eb", Black: "#000000", Red: "#ef4444", Orange: "#f59e0b",
  Green: "#22c55e", Blue: "#3b82f6", Violet: "#8b5cf6", Pink: "#ec4899",
}; // prettier-ignore
const byId = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));

/** Tells "change" whenever a control has moved, "say" with a text for screen readers. */
export class Look extends EventTarget {
  /** @type {File|null} */
  #own = null;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    super();
    this.form = form;
    form.addEventListener("input", (event) => this.#moved(/** @type {HTMLInputElement} */ (event.target)));
    form.addEventListener("submit", (event) => event.preventDefault());
    byId("edge-reset").addEventListener("click", () => this.#resetEdge());
    byId("swatches").append(...Object.entries(COLORS).map(([name, color]) => this.#swatch(name, color)));
    form.reset(); // browsers keep controls over a reload, but not the pictures
    this.#write();
  }

  /** @returns {import("./edge.js").Edge} */
  get edge() {
    return {
      threshold: Number(byId("threshold").value),
      shift: Number(byId("shift").value),
      feather: Number(byId("feather").value),
    };
  }

  /** @returns {import("./backdrop.js").Background} */
  get background() {
    const kind = this.form.elements["background"].value;
    return {
      kind: kind === "picture" && !this.#own ? "none" : kind,
      color: byId("color").value,
      strength: Number(byId("strength").value),
      picture: this.#own,
    };
  }

  /** Media type of downloads. */
  get type() {
    return this.form.elements["type"].value;
  }

  async #moved(control) {
    if (control.id === "own") await this.#take(control.files?.[0] ?? null);
    this.#changed();
  }

  /** Take a picture to put behind all others, if it is one. */
  async #take(file) {
    try {
      if (file) (await createImageBitmap(file)).close();
      this.#own = file;
      byId("own-name").textContent = file?.name ?? "It stays in this browser.";
    } catch {
      byId("own").value = ""; // so that the same file can be chosen again
      const text = `This browser cannot show ${file.name}; choose a JPEG or PNG.`;
      this.dispatchEvent(new CustomEvent("say", { detail: text }));
    }
  }

  #resetEdge() {
    for (const id of ["threshold", "shift", "feather"]) byId(id).value = "0";
    this.#changed();
  }

  #swatch(name, color) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "swatch";
    button.ariaLabel = name;
    button.style.background = color;
    button.dataset.color = color;
    button.addEventListener("click", () => {
      byId("color").value = color;
      this.#changed();
    });
    return button;
  }

  #changed() {
    this.#write();
    this.dispatchEvent(new Event("change"));
  }

  /** Show the controls that belong to the choice, and the numbers. */
  #write() {
    const chosen = this.form.elements["background"].value;
    for (const detail of this.form.querySelectorAll("[data-background]")) {
      /** @type {HTMLElement} */ (detail).hidden = /** @type {HTMLElement} */ (detail).dataset.background !== chosen;
    }
    const { threshold, shift, feather } = this.edge;
    const texts = {
      threshold: threshold ? `${threshold} %` : "off",
      shift: shift ? `${shift > 0 ? "+" : "−"}${Math.abs(shift)} ‰` : "0",
      feather: feather ? `${feather} ‰` : "0",
    };
    for (const [id, text] of Object.entries(texts)) {
      /** @type {HTMLOutputElement} */ (this.form.querySelector(`output[for=${id}]`)).value = text;
    }
    for (const swatch of this.form.querySelectorAll(".swatch")) {
      swatch.ariaPressed = String(/** @type {HTMLElement} */ (swatch).dataset.color === byId("color").value);
    }
  }
}
