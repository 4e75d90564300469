// What fingers, mice and keys do on the stage.

const STEP = 40;

/**
 * @param {import("./stage.js").Stage} stage
 * @param {import("./brush.js").Brush} brush
 */
export function listenOnStage(stage, brush) {
  const { element } = stage;
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  let sliding = false;

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target instanceof HTMLButtonElement) return;
    element.setPointerCapture(event.pointerId);
    const [x, y] = stage.pointOf(event);
    fingers.set(event.pointerId, { x, y });
    const onHandle = event.target === stage.split.handle;
    sliding = stage.mode === "split" && (onHandle || stage.view.zoom === 1);
    if (stage.mode === "brush") {
      if (fingers.size === 1) brush.down(x, y);
      else brush.cancel(); // the second finger means that the first did not want to paint
    } else if (sliding && fingers.size === 1 && event.pointerType === "mouse") stage.split.moveTo(x, stage.view.span);
  });

  element.addEventListener("pointermove", (event) => {
    const [x, y] = stage.pointOf(event);
    if (stage.mode === "brush") brush.hover(x, y);
    const last = fingers.get(event.pointerId);
    if (!last) return;
    fingers.set(event.pointerId, { x, y });
    if (fingers.size === 2) pinch(event.pointerId, last, { x, y });
    else if (stage.mode === "brush") brush.moveTo(x, y);
    else if (sliding) stage.split.moveTo(x, stage.view.span);
    else stage.moveBy(x - last.x, y - last.y);
  });

  for (const name of ["pointerup", "pointercancel"]) {
    element.addEventListener(name, (event) => {
      if (!fingers.delete(event.pointerId)) return;
      if (name === "pointerup") brush.up();
      else brush.cancel();
    });
  }

  element.addEventListener("pointerleave", () => brush.leave());
  // With keys the brush stays down until it is lifted. Whoever goes on to something else means what is to be seen.
  element.addEventListener("blur", () => brush.up());

  function pinch(id, before, after) {
    const other = [...fingers].find(([finger]) => finger !== id)[1];
    const spread = (point) => Math.max(10, Math.hypot(point.x - other.x, point.y - other.y));
    stage.zoomBy(spread(after) / spread(before), (after.x + other.x) / 2, (after.y + other.y) / 2);
    stage.moveBy((after.x - before.x) / 2, (after.y - before.y) / 2);
  }

  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      stage.zoomBy(2 ** (-event.deltaY / (event.deltaMode === 0 ? 300 : 8)), ...stage.pointOf(event));
    },
    { passive: false },
  );

  element.addEventListener("keydown", (event) => {
    if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
    if (act(event.key)) event.preventDefault();
  });

  function act(key) {
    if (key === "+" || key === "=") stage.zoomBy(1.25);
    else if (key === "-") stage.zoomBy(0.8);
    else if (key === "0") stage.fit();
    else if (stage.mode === "brush") return brush.key(key);
    else if (key === "ArrowLeft") stage.moveBy(STEP, 0);
    else if (key === "ArrowRight") stage.moveBy(-STEP, 0);
    else if (key === "ArrowUp") stage.moveBy(0, STEP);
    else if (key === "ArrowDown") stage.moveBy(0, -STEP);
    else return false;
    return true;
  }
}
