import { el } from "../dom.js";
import { paletteColour } from "../parts/chart.js";
import { groundColour } from "./colouring.js";
import { listenToGestures } from "./gestures.js";
import { short, write, writeLabels } from "./labels.js";
import { pointsInside } from "./lasso.js";
import { Minimap } from "./minimap.js";
import { Nearest } from "./nearest.js";
import { PointPainter, radiusOf } from "./points.js";
import { boundsOf, View } from "./view.js";

const KEPT = 400; // measures of redrawing

/**
 * The map itself: points, names, what is chosen, and moving about.
 * @param {{xs: Float32Array, ys: Float32Array, names: string[], popularity: number[]}} points
 * @param {{onChoose: (at: number) => void, onLasso: (found: number[]) => void, onMove: () => void}} tells
 */
export class MapCanvas {
  constructor(points, tells, signal) {
    Object.assign(this, points);
    this.bounds = boundsOf(this.xs, this.ys);
    this.view = new View(this.bounds);
    this.nearest = new Nearest(this.xs, this.ys, this.bounds);
    this.order = Uint32Array.from(this.xs.keys()).sort((a, b) => (this.popularity[b] ?? 0) - (this.popularity[a] ?? 0));
    this.tells = tells;
    this.isLasso = false;
    this.shown = null;
    this.chosen = -1;
    this.around = [];
    this.under = -1;
    this.line = null;
    this.waits = false;
    this.drawn = 0;
    this.dots = el("canvas", { "aria-hidden": "true" });
    this.over = el("canvas", { "aria-hidden": "true" });
    this.minimap = new Minimap(this.xs, this.ys, this.bounds, (x, y) => {
      [this.view.x, this.view.y, this.view.isWhole] = [x, y, false];
      this.redraw();
    });
    this.surface = el("div.map-surface", { tabindex: "0", role: "group", "aria-label": "Map. Arrow keys move it, plus and minus zoom, zero shows all; the search box chooses a point, the table below says the same." }, this.dots, this.over);
    this.box = el("div.map", {}, this.surface, this.minimap.canvas);
    this.painter = new PointPainter(this.dots);
    this.listen(signal);
  }

  listen(signal) {
    listenToGestures(this.surface, {
      isLasso: () => this.isLasso,
      pan: (across, down) => { this.view.pan(across, down); this.redraw(); },
      zoom: (factor, across, down) => { this.view.zoom(factor, across, down); this.redraw(); },
      fit: () => { this.view.fit(); this.redraw(); },
      hover: (across, down) => this.hover(across, down),
      click: (across, down) => {
        const at = this.pointAt(across, down);
        if (at >= 0) this.tells.onChoose(at);
      },
      lasso: (line, isDone) => this.lasso(line, isDone),
    });
    const resized = new ResizeObserver(() => this.resize());
    resized.observe(this.surface);
    const night = matchMedia("(prefers-color-scheme: dark)");
    const recolour = () => { this.minimap.recolour(); this.tells.onRecolour(); };
    night.addEventListener("change", recolour);
    signal.addEventListener("abort", () => {
      resized.disconnect();
      night.removeEventListener("change", recolour);
    });
  }

  /** Gives points the colours of a colouring; `shown` says which of them stand out. */
  colour(colouring, shown) {
    this.colouring = colouring;
    this.shown = shown;
    this.redraw();
  }

  /** Marks a point and those around it, and brings it into view where it is not. */
  choose(at, around = [], isFollowed = false) {
    this.chosen = at;
    this.around = around;
    if (at >= 0) {
      const [across, down] = this.view.toScreen(this.xs[at], this.ys[at]);
      const isSeen = across > 0 && down > 0 && across < this.view.width && down < this.view.height;
      if (isFollowed || !isSeen) this.view.lookAt(this.xs[at], this.ys[at]);
    }
    this.redraw();
  }

  /** The points in view, the most popular first. */
  inView() {
    const [left, high] = this.view.toMap(0, 0);
    const [right, low] = this.view.toMap(this.view.width, this.view.height);
    return [...this.order].filter((at) => this.xs[at] >= left && this.xs[at] <= right && this.ys[at] >= low && this.ys[at] <= high);
  }

  /** Draws before the next frame; asked often, drawn once. */
  redraw() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      this.draw();
      this.tells.onMove();
    });
  }

  pointAt(across, down) {
    const reach = Math.max(8, radiusOf(this.xs.length, this.view.scale / this.view.leastScale()) + 3);
    return this.nearest.find(...this.view.toMap(across, down), reach / this.view.scale);
  }

  hover(across, down) {
    const at = this.pointAt(across, down);
    this.surface.classList.toggle("on-point", at >= 0);
    if (at === this.under) return;
    this.under = at;
    this.redraw();
  }

  lasso(line, isDone) {
    this.line = isDone ? null : line;
    if (isDone) this.tells.onLasso(pointsInside(this.xs, this.ys, line.map(([across, down]) => this.view.toMap(across, down))));
    this.redraw();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.surface;
    if (!width || !height) return;
    this.density = Math.min(2, window.devicePixelRatio || 1);
    for (const canvas of [this.dots, this.over]) {
      canvas.width = Math.round(width * this.density);
      canvas.height = Math.round(height * this.density);
    }
    this.view.resize(width, height);
    this.draw();
    this.tells.onMove();
  }

  draw() {
    if (!this.colouring || !this.density) return;
    const begun = performance.now();
    const { colours, palette } = this.colouring;
    this.painter.paint(this.view, this.xs, this.ys, colours, palette, groundColour(), this.shown, this.density);
    this.drawOver();
    this.minimap.draw(this.view);
    this.drawn += 1;
    if (this.drawn % KEPT === 0) performance.clearMeasures("map redraw");
    performance.measure("map redraw", { start: begun, end: performance.now() });
  }

  drawOver() {
    const context = this.over.getContext("2d");
    context.setTransform(this.density, 0, 0, this.density, 0, 0);
    context.clearRect(0, 0, this.view.width, this.view.height);
    writeLabels(context, this.view, this.xs, this.ys, this.names, this.order);
    this.around.forEach((at) => this.ring(context, at, paletteColour("c2"), 6));
    if (this.chosen >= 0) {
      this.ring(context, this.chosen, paletteColour("ink"), 8);
      this.nameOf(context, this.chosen);
    }
    if (this.under >= 0 && this.under !== this.chosen) this.nameOf(context, this.under);
    if (this.line) this.drawLine(context);
  }

  ring(context, at, colour, radius) {
    const [across, down] = this.view.toScreen(this.xs[at], this.ys[at]);
    context.beginPath();
    context.arc(across, down, radius, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.strokeStyle = colour;
    context.stroke();
  }

  nameOf(context, at) {
    const [across, down] = this.view.toScreen(this.xs[at], this.ys[at]);
    const text = short(this.names[at]);
    context.font = "600 13px system-ui, sans-serif";
    const width = context.measureText(text).width;
    const left = Math.max(4, Math.min(across + 11, this.view.width - width - 8));
    context.fillStyle = paletteColour("paper");
    context.fillRect(left - 3, down - 10, width + 6, 20);
    write(context, text, left, down);
  }

  drawLine(context) {
    context.beginPath();
    this.line.forEach(([across, down], at) => (at ? context.lineTo(across, down) : context.moveTo(across, down)));
    context.closePath();
    context.lineWidth = 1.5;
    context.strokeStyle = paletteColour("accent");
    context.stroke();
    context.globalAlpha = 0.12;
    context.fillStyle = paletteColour("accent");
    context.fill();
    context.globalAlpha = 1;
  }
}
