// One picture on the page.

import { drawCutout, toFile } from "./cutout.js";
import { fetchMask, inTurn } from "./server.js";

const template = document.getElementById("card");

export class Card {
  constructor(file, settings) {
    this.file = file;
    this.settings = settings;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.address = URL.createObjectURL(file);
    this.canvas = this.find(".result");
    this.find(".name").textContent = file.name || "Pasted picture";
    this.find(".original").src = this.address;
    this.find(".original").alt = `Original: ${file.name || "pasted picture"}`;
    this.canvas.setAttribute("aria-label", `Cut-out: ${file.name || "pasted picture"}`);
    const split = this.find(".split");
    split.addEventListener("input", () => this.find(".stage").style.setProperty("--split", `${split.value}%`));
    this.find(".png").addEventListener("click", () => this.download("image/png"));
    this.find(".webp").addEventListener("click", () => this.download("image/webp"));
    this.find(".again").addEventListener("click", () => this.cut());
    this.find(".remove").addEventListener("click", () => this.remove());
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  /** Whether there is a cut-out to download. */
  get done() {
    return Boolean(this.mask);
  }

  async cut() {
    this.show({ waiting: true });
    const started = performance.now();
    try {
      this.bitmap = await createImageBitmap(this.file).catch(() => {
        throw new Error("This browser cannot show the file; send it to the API at /remove instead.");
      });
      const answer = await inTurn(() => fetchMask(this.file, this.settings.key(), (percent) => this.progress(percent)));
      this.mask = await createImageBitmap(answer.mask);
      this.redraw();
      this.find(".time").textContent = describe(performance.now() - started, answer);
      this.show({ waiting: false });
    } catch (error) {
      this.show({ waiting: false, error: error.message });
    }
  }

  redraw() {
    if (this.done) drawCutout(this.canvas, this.bitmap, this.mask, this.settings.look());
  }

  async download(type) {
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await toFile(this.canvas, type));
      link.download = `${(this.file.name || "picture").replace(/\.[^.]*$/, "")}.${type.slice(6)}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      this.find(".error").textContent = error.message;
    }
  }

  remove() {
    URL.revokeObjectURL(this.address);
    this.bitmap?.close();
    this.mask?.close();
    const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
    (next?.querySelector(".remove") ?? document.getElementById("files")).focus();
    this.element.remove();
    this.settings.removed(this);
  }

  progress(percent) {
    const bar = this.find(".progress");
    if (percent < 100) bar.value = percent;
    else bar.removeAttribute("value"); // sent; how long the rest takes is not known
  }

  show({ waiting, error = "" }) {
    this.element.classList.toggle("waiting", waiting || Boolean(error));
    this.element.setAttribute("aria-busy", waiting);
    this.find(".progress").hidden = !waiting;
    this.find(".error").textContent = error;
    this.find(".again").hidden = !error;
    for (const button of this.element.querySelectorAll(".png, .webp")) button.disabled = !this.done;
  }
}

function describe(totalMs, { timing, cache }) {
  const stages = Object.entries(timing).map(([stage, ms]) => `${stage} ${Math.round(ms)}`);
  const known = cache === "HIT" ? ", mask known" : "";
  return `${Math.round(totalMs)} ms in all; on the server: ${stages.join(", ")} ms${known}`;
}
