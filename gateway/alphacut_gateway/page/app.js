// The page: everything is made and tied together here.

import { Album, Picture } from "./album.js";
import { Choice } from "./choice.js";
import { Cutter } from "./cutter.js";
import { Editor } from "./editor.js";
import { Film } from "./film.js";
import { listen } from "./intake.js";
import { Key } from "./key.js";
import { Look } from "./look.js";
import { fetchTiers } from "./models.js";
import { Saver } from "./saver.js";
import { Workshop } from "./workshop.js";

const byId = (id) => /** @type {any} */ (document.getElementById(id));

const album = new Album();
const look = new Look(byId("look"));
const choice = new Choice();
const key = new Key(byId("key-dialog"));
const workshop = new Workshop();
const cutter = new Cutter(album, key, workshop);
const saver = new Saver(new Workshop(), look);
const film = new Film(byId("film"), byId("frame-template"), album);
const editor = new Editor(album, look, choice, workshop);
const tiers = fetchTiers().then((found) => choice.offer(found));

const say = (text) => (byId("status").textContent = text);

async function add(files, refused) {
  const pictures = files.map((file) => new Picture(file));
  for (const picture of pictures) album.add(picture);
  if (pictures.length) album.choose(pictures[0]);
  if (refused) say(refused === 1 ? "One file was no picture." : `${refused} files were no pictures.`);
  await tiers;
  await Promise.all(pictures.map((picture) => cutter.cut(picture, choice.tier)));
}

function done() {
  return album.pictures.filter((picture) => picture.done(choice.tier));
}

function refresh() {
  const some = album.pictures.length > 0;
  byId("start").hidden = some;
  byId("editor").hidden = !some;
  document.body.classList.toggle("editing", some);
  const ready = Boolean(album.chosen?.done(choice.tier));
  byId("save").disabled = byId("copy").disabled = !ready;
  byId("save-all").disabled = done().length === 0;
  film.refresh(choice.tier);
  editor.refresh();
}

function recut() {
  for (const picture of album.pictures) cutter.cut(picture, choice.tier);
  // A comparison is one's own wish: it is made for what is looked at, not for the whole album.
  if (album.chosen && choice.rival) cutter.cut(album.chosen, choice.rival);
  refresh();
}

/** Do what a button asks, which is off meanwhile; what goes wrong is said. */
function onClick(id, work) {
  byId(id).addEventListener("click", async () => {
    byId(id).disabled = true;
    try {
      await work();
    } catch (error) {
      say(`${error.message} Try again.`);
    }
    refresh();
  });
}

listen([byId("files"), byId("camera"), byId("more")], add);
album.addEventListener("change", () => {
  if (choice.rival && album.chosen?.cut(choice.rival).state === "new") cutter.cut(album.chosen, choice.rival);
  say(album.pictures.length ? `${done().length} of ${album.pictures.length} cut out` : "");
  refresh();
});
look.addEventListener("change", () =>
  editor.relook().catch(() => say("This browser cannot show that background any more; choose it again.")),
);
look.addEventListener("say", (/** @type {any} */ event) => say(event.detail));
choice.addEventListener("change", recut);
key.addEventListener("change", () => cutter.retry(choice.tier));
editor.brush.addEventListener("say", (/** @type {any} */ event) => say(event.detail));
byId("key-open").addEventListener("click", () => key.ask());
byId("again").addEventListener("click", recut);
byId("copy").hidden = !navigator.clipboard?.write;
onClick("save", () => saver.one(album.chosen, choice.tier));
onClick("save-all", async () => {
  await saver.all(done(), choice.tier, (made, all) => say(`Making file ${made + 1} of ${all}`));
  say(`${done().length} pictures saved`);
});
onClick("copy", async () => {
  await saver.copy(album.chosen, choice.tier);
  say("Copied");
});
