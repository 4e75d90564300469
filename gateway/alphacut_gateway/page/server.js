// The way to the gateway: one upload a picture, one mask back.

const ATTEMPTS = 8;
const AT_ONCE = 2;
let running = 0;
/** @type {(() => void)[]} */
const waiting = [];

/** The gateway wants an API key, or another one. */
export class KeyError extends Error {}

/**
 * Run `work` when one of a few places is free.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function inTurn(work) {
  if (running >= AT_ONCE) await new Promise((go) => waiting.push(() => go(undefined)));
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

/**
 * @typedef {object} Request
 * @property {File} file
 * @property {import("./models.js").Tier} tier
 * @property {boolean} whole Whether to fetch the cut-out, with its colours, rather than the mask.
 * @property {string} key
 * @property {AbortSignal} signal
 * @property {(state: string, percent?: number) => void} tell
 *
 * @typedef {object} Answer
 * @property {Blob} blob
 * @property {Record<string, number>} timing Milliseconds by stage.
 * @property {number} uploadMs
 * @property {number} totalMs
 * @property {boolean} known Whether the mask came out of the server's memory.
 * @property {string|null} mode The tier that answered: a busy server may take a smaller one than it was asked for.
 */

/**
 * Send a picture and return what comes back; comes back itself while the server is busy.
 * @param {Request} request
 * @returns {Promise<Answer>}
 */
export async function fetchCut(request) {
  const started = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    const sent = await send(request);
    const { status } = sent.answer;
    if (status === 200) return { ...read(sent), totalMs: performance.now() - started };
    const reason = await reasonOf(sent.answer);
    if (status === 401) throw new KeyError(reason);
    if ((status !== 429 && status !== 503) || attempt === ATTEMPTS) throw new Error(reason);
    request.tell("busy");
    await pause(1000 * (Number(sent.answer.getResponseHeader("Retry-After")) || 1), request.signal);
  }
}

function send({ file, tier, whole, key, signal, tell }) {
  return new Promise((resolve, reject) => {
    const query = new URLSearchParams(whole ? { format: "png" } : { output: "mask", decode: "fast" });
    if (tier.model) query.set("model", tier.model);
    if (tier.mode) query.set("mode", tier.mode);
    const answer = new XMLHttpRequest();
    const started = performance.now();
    let uploadMs = 0;
    answer.open("POST", `remove?${query}`);
    answer.responseType = "blob";
    answer.setRequestHeader("Content-Type", "application/octet-stream");
    if (key) answer.setRequestHeader("X-API-Key", key);
    answer.upload.onprogress = (event) => event.lengthComputable && tell("uploading", (100 * event.loaded) / event.total);
    answer.upload.onload = () => {
      uploadMs = performance.now() - started;
      tell("waiting");
    };
    answer.onload = () => resolve({ answer, uploadMs });
    answer.onerror = () => reject(new Error("The server cannot be reached. Is it running? Then try again."));
    answer.onabort = () => reject(signal.reason);
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => answer.abort());
    tell("uploading", 0);
    answer.send(file);
  });
}

function read({ answer, uploadMs }) {
  return {
    blob: answer.response,
    timing: parseTiming(answer.getResponseHeader("Server-Timing") ?? ""),
    uploadMs,
    known: answer.getResponseHeader("X-Cache") === "HIT",
    mode: answer.getResponseHeader("X-Alphacut-Mode")?.split(";")[0] ?? null,
  };
}

async function reasonOf(answer) {
  const text = await answer.response.text();
  try {
    const { message } = JSON.parse(text).error;
    return message.charAt(0).toUpperCase() + message.slice(1) + (message.endsWith(".") ? "" : ".");
  } catch {
    return `The server answered ${answer.status}, which says no more. Try again, or look into its log.`;
  }
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Read "decode;dur=12.3, render;dur=4" into {decode: 12.3, render: 4}. */
export function parseTiming(header) {
  const stages = [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)];
  return Object.fromEntries(stages.map(([, stage, ms]) => [stage, Number(ms)]));
}
