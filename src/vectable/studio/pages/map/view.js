/** What part of the map is seen: from places on the map to pixels and back. Upwards on the map is upwards on screen. */
export class View {
  constructor(bounds) {
    this.bounds = bounds;
    this.width = 1;
    this.height = 1;
    this.fit();
  }

  /** The whole map, with a margin. */
  fit() {
    const { left, right, low, high } = this.bounds;
    this.x = (left + right) / 2;
    this.y = (low + high) / 2;
    this.scale = this.leastScale();
    this.isWhole = true;
  }

  /** Pixels per unit at which the whole map is seen. */
  leastScale() {
    const { left, right, low, high } = this.bounds;
    return 0.92 * Math.min(this.width / (right - left || 1), this.height / (high - low || 1));
  }

  /** The size of the canvas in pixels; the middle stays where it is. */
  resize(width, height) {
    const before = this.leastScale();
    [this.width, this.height] = [width, height];
    if (this.isWhole) this.fit();
    else this.scale *= this.leastScale() / before;
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, this.height / 2 - (y - this.y) * this.scale];
  }

  toMap(across, down) {
    return [(across - this.width / 2) / this.scale + this.x, (this.height / 2 - down) / this.scale + this.y];
  }

  /** Moves by pixels. */
  pan(across, down) {
    this.isWhole = false;
    this.x = this.within(this.x - across / this.scale, this.bounds.left, this.bounds.right);
    this.y = this.within(this.y + down / this.scale, this.bounds.low, this.bounds.high);
  }

  /** Zooms by a factor; the place under a pixel stays there. */
  zoom(factor, across = this.width / 2, down = this.height / 2) {
    this.isWhole = false;
    const [x, y] = this.toMap(across, down);
    const least = this.leastScale();
    this.scale = this.within(this.scale * factor, least * 0.7, least * 400);
    const [nowX, nowY] = this.toMap(across, down);
    this.x += x - nowX;
    this.y += y - nowY;
    this.pan(0, 0);
  }

  /** Brings a place to the middle, close enough to see what is around it. */
  lookAt(x, y) {
    this.isWhole = false;
    [this.x, this.y] = [x, y];
    this.scale = Math.max(this.scale, this.leastScale() * 4);
  }

  within(value, low, high) {
    return Math.min(high, Math.max(low, value));
  }
}

/** The smallest box around points; with some room where they lie on one line. */
export function boundsOf(xs, ys) {
  const bounds = { left: Infinity, right: -Infinity, low: Infinity, high: -Infinity };
  for (let at = 0; at < xs.length; at += 1) {
    if (xs[at] < bounds.left) bounds.left = xs[at];
    if (xs[at] > bounds.right) bounds.right = xs[at];
    if (ys[at] < bounds.low) bounds.low = ys[at];
    if (ys[at] > bounds.high) bounds.high = ys[at];
  }
  if (!xs.length) return { left: -1, right: 1, low: -1, high: 1 };
  const room = Math.max(bounds.right - bounds.left, bounds.high - bounds.low, 1e-6) * 0.01;
  return { left: bounds.left - room, right: bounds.right + room, low: bounds.low - room, high: bounds.high + room };
}
