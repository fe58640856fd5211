import { el } from "../dom.js";
import { paletteColour } from "../parts/chart.js";
import { View } from "./view.js";

const WIDTH = 132;
const HEIGHT = 96;
const MOST = 4000; // points drawn

/** The whole map in a corner, with a frame around what is seen; a press on it goes there. */
export class Minimap {
  constructor(xs, ys, bounds, onGo) {
    this.density = window.devicePixelRatio || 1;
    this.canvas = el("canvas.minimap", { width: WIDTH * this.density, height: HEIGHT * this.density, "aria-hidden": "true" });
    this.whole = new View(bounds);
    this.whole.resize(WIDTH, HEIGHT);
    Object.assign(this, { xs, ys, picture: null });
    const go = (event) => {
      const scale = WIDTH / this.canvas.clientWidth;
      onGo(...this.whole.toMap(event.offsetX * scale, event.offsetY * scale));
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      go(event);
    });
    this.canvas.addEventListener("pointermove", (event) => event.buttons && go(event));
  }

  /** Draws the points afresh, in the colours of now. */
  recolour() {
    this.picture = null;
  }

  draw(view) {
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    this.picture ??= this.points();
    context.drawImage(this.picture, 0, 0);
    context.setTransform(this.density, 0, 0, this.density, 0, 0);
    const [left, top] = this.whole.toScreen(...view.toMap(0, 0));
    const [right, bottom] = this.whole.toScreen(...view.toMap(view.width, view.height));
    context.strokeStyle = paletteColour("accent");
    context.lineWidth = 1.5;
    context.strokeRect(Math.max(1, left), Math.max(1, top), Math.min(WIDTH - 1, right) - Math.max(1, left), Math.min(HEIGHT - 1, bottom) - Math.max(1, top));
  }

  points() {
    const made = el("canvas", { width: this.canvas.width, height: this.canvas.height });
    const context = made.getContext("2d");
    context.scale(this.density, this.density);
    context.fillStyle = paletteColour("paper");
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.fillStyle = paletteColour("c-rest");
    const every = Math.max(1, Math.ceil(this.xs.length / MOST));
    for (let at = 0; at < this.xs.length; at += every) {
      const [across, down] = this.whole.toScreen(this.xs[at], this.ys[at]);
      context.fillRect(across, down, 1.2, 1.2);
    }
    return made;
  }
}
