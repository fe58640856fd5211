const CLICK = 5; // pixels that a click may move

/**
 * Turns what fingers, mouse and keys do over the map into moves.
 * @param {HTMLElement} at
 * @param {object} moves
 * @param {() => boolean} moves.isLasso whether dragging draws a line around points
 * @param {(across: number, down: number) => void} moves.pan by pixels
 * @param {(factor: number, across?: number, down?: number) => void} moves.zoom
 * @param {() => void} moves.fit
 * @param {(across: number, down: number) => void} moves.hover
 * @param {(across: number, down: number) => void} moves.click
 * @param {(line: number[][], isDone: boolean) => void} moves.lasso
 */
export function listenToGestures(at, moves) {
  const down = new Map();
  let start = null;
  let line = null;
  const placeOf = (event) => {
    const box = at.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  at.addEventListener("pointerdown", (event) => {
    at.setPointerCapture(event.pointerId);
    down.set(event.pointerId, placeOf(event));
    start = placeOf(event);
    line = moves.isLasso() && down.size === 1 ? [start] : null;
  });
  at.addEventListener("pointermove", (event) => {
    const now = placeOf(event);
    const before = down.get(event.pointerId);
    if (!before) {
      moves.hover(...now);
      return;
    }
    down.set(event.pointerId, now);
    if (down.size === 2) pinch([...down].find(([id]) => id !== event.pointerId)[1], before, now);
    else if (line) {
      line.push(now);
      moves.lasso(line, false);
    } else moves.pan(now[0] - before[0], now[1] - before[1]);
  });
  const pinch = (other, before, now) => {
    line = null;
    start = null;
    const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
    moves.zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  };
  const end = (event) => {
    const now = placeOf(event);
    const isClick = start && Math.hypot(now[0] - start[0], now[1] - start[1]) < CLICK;
    if (down.delete(event.pointerId) && event.type === "pointerup") {
      if (line && !isClick) moves.lasso(line, true);
      else if (isClick) moves.click(...now);
    }
    line = null;
  };
  at.addEventListener("pointerup", end);
  at.addEventListener("pointercancel", end);
  at.addEventListener("wheel", (event) => {
    event.preventDefault();
    moves.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...placeOf(event));
  }, { passive: false });
  at.addEventListener("keydown", (event) => {
    const step = 60;
    const keys = {
      ArrowLeft: () => moves.pan(step, 0), ArrowRight: () => moves.pan(-step, 0),
      ArrowUp: () => moves.pan(0, step), ArrowDown: () => moves.pan(0, -step),
      "+": () => moves.zoom(1.4), "=": () => moves.zoom(1.4), "-": () => moves.zoom(1 / 1.4), 0: () => moves.fit(),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    keys[event.key]();
    event.preventDefault();
  });
}
