// Which tier cuts out, and which it is compared with.

import { DEFAULT } from "./models.js";

const byId = (id) => /** @type {HTMLSelectElement} */ (document.getElementById(id));

/** Tells "change" when another is chosen. */
export class Choice extends EventTarget {
  /** @type {import("./models.js").Tier[]} */
  #tiers = [DEFAULT];

  constructor() {
    super();
    for (const id of ["tier", "rival"]) {
      byId(id).addEventListener("input", (event) => {
        event.stopPropagation(); // the form's other controls change the look, these do not
        this.#write();
        this.dispatchEvent(new Event("change"));
      });
    }
  }

  get tier() {
    return this.#of("tier") ?? this.#tiers[0];
  }

  /** The tier on the other side; null for the original. */
  get rival() {
    const rival = this.#of("rival");
    return rival && rival.id !== this.tier.id ? rival : null;
  }

  get several() {
    return this.#tiers.length > 1;
  }

  /** @param {import("./models.js").Tier[]} tiers The first is the default. */
  offer(tiers) {
    this.#tiers = tiers;
    const options = () => tiers.map(({ id, label }) => new Option(label, id));
    byId("tier").replaceChildren(...options());
    byId("rival").replaceChildren(new Option("the original", "original"), ...options());
    byId("networks").hidden = !this.several;
    this.#write();
  }

  #of(id) {
    return this.#tiers.find((tier) => tier.id === byId(id).value) ?? null;
  }

  #write() {
    byId("tier-about").textContent = this.tier.about;
    for (const option of byId("rival").options) option.disabled = option.value === this.tier.id;
  }
}
