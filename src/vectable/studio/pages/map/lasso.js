/** Whether a place is inside a polygon, by how often a ray from it crosses the border. */
function isInside(x, y, polygon) {
  let inside = false;
  for (let at = 0, before = polygon.length - 1; at < polygon.length; before = at, at += 1) {
    const [ax, ay] = polygon[at];
    const [bx, by] = polygon[before];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** The points inside a polygon, both on the map. */
export function pointsInside(xs, ys, polygon) {
  const across = polygon.map(([x]) => x);
  const up = polygon.map(([, y]) => y);
  const [left, right, low, high] = [Math.min(...across), Math.max(...across), Math.min(...up), Math.max(...up)];
  const found = [];
  for (let at = 0; at < xs.length; at += 1) {
    if (xs[at] < left || xs[at] > right || ys[at] < low || ys[at] > high) continue;
    if (isInside(xs[at], ys[at], polygon)) found.push(at);
  }
  return found;
}
