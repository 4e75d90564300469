// The chosen picture on the stage: which sides there are, what they show, and what can be done with them.

import { Brush } from "./brush.js";
import { listenOnStage } from "./gestures.js";
import { Preview } from "./preview.js";
import { Stage } from "./stage.js";
import { inAll, showTimes } from "./times.js";

const byId = (id) => /** @type {any} */ (document.getElementById(id));
const WORKING = {
  new: "Waiting for its turn",
  queued: "Waiting for its turn",
  uploading: "Going up",
  waiting: "Being cut out",
  busy: "The server is busy; trying again shortly",
};

export class Editor {
  #beside = false;
  #brushing = false;
  /** What is on the stage, so that it is set up once. */
  #picture = null;

  /**
   * @param {import("./album.js").Album} album
   * @param {import("./look.js").Look} look
   * @param {import("./choice.js").Choice} choice
   * @param {import("./workshop.js").Workshop} workshop
   */
  constructor(album, look, choice, workshop) {
    this.album = album;
    this.look = look;
    this.choice = choice;
    this.stage = new Stage(byId("stage"));
    this.after = new Preview(byId("after"), workshop);
    this.before = new Preview(byId("before"), workshop);
    this.brush = new Brush(this.stage, this.after, look);
    listenOnStage(this.stage, this.brush);
    this.#listen();
  }

  /** Show the album's chosen picture as things stand. */
  async refresh() {
    const picture = this.album.chosen;
    if (!picture) {
      this.#picture = null;
      this.after.close();
      this.before.close();
      return;
    }
    this.#original(picture);
    const cut = picture.cut(this.choice.tier);
    const rival = this.choice.rival && picture.cut(this.choice.rival);
    this.#state(rival && cut.state === "done" && rival.state !== "done" ? rival : cut);
    showTimes(byId("times-title"), byId("times"), cut.answer);
    const opened = [this.#open(this.after, picture, cut), rival && this.#open(this.before, picture, rival)];
    byId("before").hidden = !rival;
    byId("tag-left").textContent = rival ? caption(this.choice.rival, rival) : "Original";
    byId("tag-right").textContent = this.choice.several ? caption(this.choice.tier, cut) : "Cut-out";
    await Promise.all(opened);
    if (picture === this.album.chosen) this.#arrange(cut, rival);
  }

  /** Apply the controls to what is shown. */
  relook() {
    return Promise.all([this.after.shape(this.look), this.choice.rival && this.before.shape(this.look)]);
  }

  #original(picture) {
    const images = [...this.stage.element.querySelectorAll("img")];
    if (this.#picture !== picture) {
      this.brush.up(); // what it drew belongs to the picture before
      this.#picture = picture;
      this.#brushing = false;
      this.stage.fit();
      this.stage.mode = "whole";
    }
    for (const image of images) {
      image.hidden = !picture.shown && picture.source === picture.file;
      if (image.src === picture.address) continue;
      image.src = picture.address;
      image.alt = image.className === "original" ? `Original: ${picture.name}` : "";
      image.onload = () => this.stage.resize({ width: image.naturalWidth, height: image.naturalHeight });
    }
    byId("seen").hidden = picture.shown || picture.source === picture.file;
    byId("seen").textContent = `This browser cannot show ${kindOf(picture.name)} files like this; the server decoded it.`;
    byId("after").ariaLabel = `Cut-out: ${picture.name}`;
  }

  #state({ state, percent, error }) {
    byId("working").hidden = !(state in WORKING);
    byId("working-text").textContent = WORKING[state] ?? "";
    if (state === "uploading") byId("progress").value = percent;
    else byId("progress").removeAttribute("value"); // how long the rest takes is not known
    byId("failed").hidden = state !== "failed";
    byId("failed-text").textContent = error;
  }

  async #open(preview, picture, cut) {
    if (cut.state !== "done") return preview.close();
    if (preview.subject?.cut !== cut) preview.opening = preview.open(picture, cut, this.look);
    try {
      await preview.opening;
    } catch (error) {
      Object.assign(cut, { state: "failed", error: `This browser cannot show the result (${error.message}).` });
      this.album.changed(picture);
    }
  }

  #arrange(cut, rival) {
    const done = cut.state === "done" && (!rival || rival.state === "done");
    this.#brushing &&= cut.state === "done";
    if (this.#brushing) this.stage.mode = "brush";
    else if (done) this.stage.mode = this.#beside ? "beside" : "split";
    else this.stage.mode = "whole";
    byId("brush-on").disabled = cut.state !== "done";
    byId("brush-on").ariaPressed = String(this.#brushing);
    byId("brush-settings").hidden = !this.#brushing;
    byId("beside").ariaPressed = String(this.#beside);
    byId("handle").hidden = this.stage.mode !== "split";
    this.#strokes();
  }

  #strokes() {
    byId("undo").disabled = !this.album.chosen?.strokes.length;
    byId("redo").disabled = !this.album.chosen?.undone.length;
  }

  #listen() {
    byId("zoom-in").addEventListener("click", () => this.stage.zoomBy(1.5));
    byId("zoom-out").addEventListener("click", () => this.stage.zoomBy(1 / 1.5));
    byId("zoom-fit").addEventListener("click", () => this.stage.fit());
    this.stage.addEventListener("zoom", () => {
      byId("zoom").value = `${Math.round(100 * this.stage.view.scale)} %`;
    });
    byId("beside").addEventListener("click", () => {
      this.#beside = !this.#beside;
      this.#brushing = false;
      this.refresh();
    });
    byId("brush-on").addEventListener("click", () => {
      this.#brushing = !this.#brushing;
      this.refresh();
    });
    byId("undo").addEventListener("click", () => this.brush.undo());
    byId("redo").addEventListener("click", () => this.brush.redo());
    this.brush.addEventListener("stroke", () => {
      this.#strokes();
      if (this.choice.rival && this.before.original) this.before.remend(this.look);
    });
    document.addEventListener("keydown", (event) => this.#shortcut(event));
  }

  #shortcut(event) {
    if (!(event.ctrlKey || event.metaKey) || event.target.type === "password") return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) this.brush.redo();
    else this.brush.undo();
  }
}

function kindOf(name) {
  const kind = name.split(".").pop().toUpperCase();
  return kind === "TIF" ? "TIFF" : kind;
}

function caption(tier, { answer }) {
  if (!answer) return tier.label;
  const instead = answer.mode && tier.mode && answer.mode !== tier.mode ? ` (busy: ${answer.mode})` : "";
  return `${tier.label}${instead} · ${inAll(answer)}`;
}
