// The way to the gateway: one upload a picture, one mask back.

const ATTEMPTS = 6;
const AT_ONCE = 2;
let running = 0;
const waiting = [];

/** Run `work` when one of a few places is free. */
export async function inTurn(work) {
  if (running >= AT_ONCE) await new Promise((go) => waiting.push(go));
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

/** Return {mask: Blob, timing: {stage: ms}, cache}; `progress` is told 0..100 while the file goes up. */
export async function fetchMask(file, key, progress) {
  for (let attempt = 1; ; attempt += 1) {
    const request = await send(file, key, progress);
    if (request.status === 200) {
      return {
        mask: request.response,
        timing: parseTiming(request.getResponseHeader("Server-Timing") ?? ""),
        cache: request.getResponseHeader("X-Cache"),
      };
    }
    const comesBack = request.status === 429 || request.status === 503;
    if (!comesBack || attempt === ATTEMPTS) throw new Error(await reason(request));
    const pause = Number(request.getResponseHeader("Retry-After")) || 1;
    await new Promise((go) => setTimeout(go, 1000 * pause));
  }
}

function send(file, key, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/remove?output=mask&decode=fast");
    request.responseType = "blob";
    request.setRequestHeader("Content-Type", "application/octet-stream");
    if (key) request.setRequestHeader("X-API-Key", key);
    request.upload.onprogress = (event) => event.lengthComputable && progress((100 * event.loaded) / event.total);
    request.onload = () => resolve(request);
    request.onerror = () => reject(new Error("The server cannot be reached; is it still running?"));
    request.send(file);
  });
}

async function reason(request) {
  try {
    return JSON.parse(await request.response.text()).error.message;
  } catch {
    return `The server answered ${request.status}.`;
  }
}

/** Read "decode;dur=12.3, render;dur=4" into {decode: 12.3, render: 4}. */
export function parseTiming(header) {
  const stages = [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)];
  return Object.fromEntries(stages.map(([, stage, ms]) => [stage, Number(ms)]));
}
