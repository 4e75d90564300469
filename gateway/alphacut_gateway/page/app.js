// The page: where pictures come in, and what applies to all of them.

import { Card } from "./card.js";

const byId = (id) => document.getElementById(id);
const cards = new Set();
const form = byId("look");

const settings = {
  key: () => byId("key").value,
  look: () => {
    const chosen = form.elements.background.value;
    return {
      background: chosen === "custom" ? byId("custom").value : chosen,
      feather: Number(byId("feather").value),
      edge: Number(byId("edge").value),
    };
  },
  removed: (card) => {
    cards.delete(card);
    tell();
  },
};

async function add(files) {
  const pictures = [...files].filter((file) => file.type.startsWith("image/"));
  if (files.length && !pictures.length) byId("status").textContent = "None of that was a picture.";
  await Promise.all(
    pictures.map(async (file) => {
      const card = new Card(file, settings);
      cards.add(card);
      byId("pictures").append(card.element);
      tell();
      await card.cut();
      tell();
    }),
  );
}

function tell() {
  const done = [...cards].filter((card) => card.done).length;
  form.hidden = cards.size === 0;
  byId("all-png").disabled = done === 0;
  byId("status").textContent = cards.size ? `${done} of ${cards.size} cut out` : "";
}

let redrawing = 0;
function redraw() {
  cancelAnimationFrame(redrawing);
  redrawing = requestAnimationFrame(() => cards.forEach((card) => card.redraw()));
}

form.addEventListener("input", (event) => {
  if (event.target === byId("custom")) form.elements.background.value = "custom";
  redraw();
});
form.addEventListener("submit", (event) => event.preventDefault());
byId("all-png").addEventListener("click", () => cards.forEach((card) => card.done && card.download("image/png")));

byId("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = ""; // so that the same file can be chosen again
});
document.addEventListener("paste", (event) => add(event.clipboardData.files));

const drop = byId("drop");
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
document.addEventListener("dragleave", (event) => event.relatedTarget ?? drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  add(event.dataTransfer.files);
});
