// Where the time of a cut went.

const STAGES = {
  queue: "Waiting for a place", fetch: "Fetching", decode: "Decoding", inference: "Network", render: "Scaling the mask", encode: "Writing the mask",
}; // prettier-ignore

/**
 * List what a cut took.
 * @param {HTMLElement} title
 * @param {HTMLElement} list
 * @param {import("./server.js").Answer|null|undefined} answer
 */
export function showTimes(title, list, answer) {
  list.replaceChildren();
  title.textContent = answer ? `Times: ${inAll(answer)}` : "Times";
  if (!answer) return;
  const stages = Object.entries(answer.timing).map(([stage, ms]) => [STAGES[stage] ?? stage, ms]);
  const server = stages.reduce((sum, [, ms]) => sum + Number(ms), 0);
  const rest = Math.max(0, answer.totalMs - answer.uploadMs - server);
  const rows = [["Upload", answer.uploadMs], ...stages, ["Way back", rest]];
  for (const [name, ms] of rows) list.append(...row(String(name), Number(ms), answer.totalMs));
  if (answer.known) list.append(element("dd", "The server knew the mask already."));
}

/** Return how long a cut took, in words. */
export function inAll({ totalMs }) {
  return totalMs < 1000 ? `${Math.round(totalMs)} ms` : `${(totalMs / 1000).toFixed(1)} s`;
}

function row(name, ms, totalMs) {
  const value = element("dd", `${ms.toFixed(ms < 10 ? 1 : 0)} ms`);
  value.style.setProperty("--share", `${Math.min(100, (100 * ms) / totalMs)}%`);
  return [element("dt", name), value];
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
