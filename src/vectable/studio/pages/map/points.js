/** Draws points as discs straight into an image's pixels: 100,000 take some milliseconds. */

const SOLID = 224; // of 256: how much of a point covers what lies below it
const FAINT = 40;

/** The pixels of a disc: offsets from its middle and how much of each is covered, of 256. */
function disc(radius) {
  const reach = Math.ceil(radius);
  const pixels = [];
  for (let down = -reach; down <= reach; down += 1) {
    for (let across = -reach; across <= reach; across += 1) {
      const covered = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(across, down)));
      if (covered > 0.05) pixels.push([across, down, covered]);
    }
  }
  return pixels;
}

/** How large points are drawn, in pixels of the page. */
export function radiusOf(total, zoom) {
  const base = total > 50000 ? 1.2 : total > 5000 ? 1.8 : total > 800 ? 2.8 : 4.5;
  return Math.min(base * Math.sqrt(Math.max(1, zoom)), 6.5);
}

export class PointPainter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.image = null;
  }

  /**
   * Draws all points that are seen.
   * @param {import("./view.js").View} view
   * @param {Float32Array} xs
   * @param {Float32Array} ys
   * @param {Uint8Array} colours of each point, a place in `palette`
   * @param {number[][]} palette red, green, blue
   * @param {number[]} ground red, green, blue
   * @param {boolean[]|null} shown of each colour: whether it stands out; null where all do
   * @param {number} density pixels of the screen per pixel of the page
   */
  paint(view, xs, ys, colours, palette, ground, shown, density) {
    const { width, height } = this.canvas;
    if (!this.image || this.image.width !== width || this.image.height !== height) {
      this.image = this.context.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    this.pixels.fill(((255 << 24) | (ground[2] << 16) | (ground[1] << 8) | ground[0]) >>> 0);
    const radius = radiusOf(xs.length, view.scale / view.leastScale()) * density;
    if (shown) this.stamp(view, xs, ys, colours, palette, (colour) => !shown[colour], radius, FAINT, density);
    this.stamp(view, xs, ys, colours, palette, (colour) => !shown || shown[colour], radius, SOLID, density);
    this.context.putImageData(this.image, 0, 0);
  }

  stamp(view, xs, ys, colours, palette, wanted, radius, strength, density) {
    const { width, height } = this.canvas;
    const { pixels } = this;
    const reach = Math.ceil(radius);
    const shape = disc(radius);
    const offsets = Int32Array.from(shape, ([across, down]) => down * width + across);
    const covers = Int32Array.from(shape, ([, , covered]) => Math.round(covered * strength));
    const scale = view.scale * density;
    const [middleX, middleY] = [width / 2 - view.x * scale, height / 2 + view.y * scale];
    const takes = palette.map((_, colour) => wanted(colour));
    for (let at = 0; at < xs.length; at += 1) {
      if (!takes[colours[at]]) continue;
      const across = Math.round(xs[at] * scale + middleX);
      const down = Math.round(middleY - ys[at] * scale);
      if (across < reach || down < reach || across >= width - reach || down >= height - reach) continue;
      const start = down * width + across;
      const [red, green, blue] = palette[colours[at]];
      for (let place = 0; place < offsets.length; place += 1) {
        const pixel = start + offsets[place];
        const cover = covers[place];
        const below = pixels[pixel];
        const r = (below & 255) + (((red - (below & 255)) * cover) >> 8);
        const g = ((below >> 8) & 255) + (((green - ((below >> 8) & 255)) * cover) >> 8);
        const b = ((below >> 16) & 255) + (((blue - ((below >> 16) & 255)) * cover) >> 8);
        pixels[pixel] = (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
      }
    }
  }
}
