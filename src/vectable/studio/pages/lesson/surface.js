import { el } from "../dom.js";
import { paletteColour } from "../parts/chart.js";

// Mako-like steps from deep to pale: the lower the error, the darker.
const SHADES = [[16, 58, 66], [20, 84, 92], [34, 112, 117], [62, 140, 142], [101, 167, 166], [145, 192, 189], [190, 216, 212], [226, 236, 233]];
const FIELD = { width: 640, height: 400 };

/** Borders between shades, each with as many places of the surface. */
function bordersOf(rows) {
  const sorted = rows.flat().sort((a, b) => a - b);
  return SHADES.slice(1).map((_, at) => sorted[Math.floor(((at + 1) / SHADES.length) * sorted.length)]);
}

/** A surface of errors over two parameters, drawn on a canvas, and where places of it are. */
export class Surface {
  /** @param {{x: number[], y: number[], z: number[][]}} race `z` has a row for each y */
  constructor({ x, y, z }) {
    Object.assign(this, { x, y, z });
    this.density = Math.min(2, window.devicePixelRatio || 1);
    this.canvas = el("canvas.surface", { width: FIELD.width * this.density, height: FIELD.height * this.density, "aria-hidden": "true" });
    this.picture = this.paint();
  }

  /** Pixels of a place. */
  at(x, y) {
    const across = ((x - this.x[0]) / (this.x.at(-1) - this.x[0])) * FIELD.width;
    const up = ((y - this.y[0]) / (this.y.at(-1) - this.y[0])) * FIELD.height;
    return [across, FIELD.height - up];
  }

  /** The error between the places that are known, both counted from 0 to 1. */
  errorAt(across, up) {
    const column = across * (this.x.length - 1);
    const row = up * (this.y.length - 1);
    const [left, low] = [Math.min(Math.floor(column), this.x.length - 2), Math.min(Math.floor(row), this.y.length - 2)];
    const [right, high] = [column - left, row - low];
    const along = (line) => line[left] * (1 - right) + line[left + 1] * right;
    return along(this.z[low]) * (1 - high) + along(this.z[low + 1]) * high;
  }

  paint() {
    const borders = bordersOf(this.z);
    const { width, height } = FIELD;
    const picture = el("canvas", { width, height });
    const context = picture.getContext("2d");
    const image = context.createImageData(width, height);
    for (let down = 0; down < height; down += 1) {
      for (let across = 0; across < width; across += 1) {
        const value = this.errorAt(across / (width - 1), 1 - down / (height - 1));
        let shade = 0;
        while (shade < borders.length && value >= borders[shade]) shade += 1;
        const at = 4 * (down * width + across);
        [image.data[at], image.data[at + 1], image.data[at + 2]] = SHADES[shade];
        image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
    return picture;
  }

  /**
   * Draws the ways of optimizers up to a moment.
   * @param {Array<{xs: number[], ys: number[], colour: string}>} ways
   * @param {number} moment a number of steps
   */
  draw(ways, moment, bottom) {
    const context = this.canvas.getContext("2d");
    context.setTransform(this.density, 0, 0, this.density, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.picture, 0, 0, FIELD.width, FIELD.height);
    if (bottom) this.cross(context, ...this.at(...bottom));
    ways.forEach((one) => this.way(context, one, moment));
  }

  cross(context, across, down) {
    context.strokeStyle = "#ffffff";
    context.lineWidth = 2;
    context.beginPath();
    for (const [dx, dy] of [[-6, -6], [-6, 6]]) {
      context.moveTo(across + dx, down + dy);
      context.lineTo(across - dx, down - dy);
    }
    context.stroke();
  }

  way(context, { xs, ys, colour }, moment) {
    const last = Math.min(moment, xs.length - 1);
    context.beginPath();
    for (let at = 0; at <= last; at += 1) context.lineTo(...this.at(xs[at], ys[at]));
    context.lineJoin = "round";
    context.strokeStyle = "#ffffff";
    context.lineWidth = 4.5;
    context.stroke();
    context.strokeStyle = paletteColour(colour);
    context.lineWidth = 2.5;
    context.stroke();
    context.beginPath();
    context.arc(...this.at(xs[last], ys[last]), 5.5, 0, 2 * Math.PI);
    context.fillStyle = paletteColour(colour);
    context.fill();
    context.strokeStyle = "#ffffff";
    context.lineWidth = 2;
    context.stroke();
  }
}
