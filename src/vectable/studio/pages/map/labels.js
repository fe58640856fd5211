import { paletteColour } from "../parts/chart.js";

const MOST = 26; // labels at once
const LOOKED_AT = 3000; // points that may get one
const LONGEST = 28; // characters
const CORNER = [150, 112]; // of the minimap, which names would run under

/** A name, cut where it is long. */
export function short(name) {
  const text = String(name);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** A text with a rim of the ground's colour, so that it can be read over points. */
export function write(context, text, across, down) {
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = paletteColour("paper");
  context.fillStyle = paletteColour("ink");
  context.strokeText(text, across, down);
  context.fillText(text, across, down);
}

/**
 * Writes names beside points, those of the most popular first, where they do not cover each other.
 * @param {Uint32Array} order points, the most popular first
 */
export function writeLabels(context, view, xs, ys, names, order) {
  const taken = [];
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (let place = 0; place < Math.min(order.length, LOOKED_AT) && taken.length < MOST; place += 1) {
    const at = order[place];
    const [across, down] = view.toScreen(xs[at], ys[at]);
    if (across < 0 || down < 8 || across > view.width - 40 || down > view.height - 8) continue;
    const text = short(names[at]);
    const width = context.measureText(text).width;
    const box = [across + 7, down - 8, across + 9 + width, down + 8];
    if (box[2] > view.width || (box[2] > view.width - CORNER[0] && box[3] > view.height - CORNER[1])) continue;
    if (taken.some((one) => box[0] < one[2] && box[2] > one[0] && box[1] < one[3] && box[3] > one[1])) continue;
    taken.push(box);
    write(context, text, across + 8, down);
  }
}
