import { el } from "../dom.js";
import { figure, mark } from "../format.js";
import { asTable, sheet } from "./table.js";

const MOST_ROWS = 60; // of a curve's table

let loading = null;

/** uPlot, loaded when the first curve is drawn. */
function uPlotLoaded() {
  loading ??= new Promise((resolve, reject) => {
    const folder = new URL("../vendor/uplot/", import.meta.url);
    document.head.append(el("link", { rel: "stylesheet", href: new URL("uPlot.min.css", folder) }));
    const script = el("script", { src: new URL("uPlot.iife.min.js", folder) });
    script.addEventListener("load", () => resolve(window.uPlot));
    script.addEventListener("error", () => reject(new Error("The file uPlot.iife.min.js of the studio is missing; install the package again.")));
    document.head.append(script);
  });
  return loading;
}

/** The palette's colours as the style sheet has them, in the day or in the night. */
export function paletteColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/**
 * Curves over one axis, with a table that says the same.
 * @param {object} how
 * @param {string} how.label what the picture shows, for whoever does not see it
 * @param {Array<{name: string, colour: string, points?: boolean, dash?: number[]}>} how.series
 * @param {boolean} [how.logX]
 * @param {(x: number) => void} [how.onPick] called with the x where one clicks
 * @returns {{box: HTMLElement, update: (data: number[][]) => void}} data: the x first, then each series
 */
export function chart({ label, xLabel, yLabel, series, logX = false, onPick, height = 260, signal }) {
  const at = el(onPick ? "div.curve.pick" : "div.curve", { role: "img", "aria-label": label });
  const numbers = () => {
    const every = Math.max(1, Math.ceil(data[0].length / MOST_ROWS));
    const rows = data[0].map((x, place) => [x, ...data.slice(1).map((ys) => ys[place])]).filter((_, place) => place % every === 0);
    const caption = every > 1 ? `${label}; one of ${every} points` : label;
    return sheet(caption, [xLabel, ...series.map((one) => one.name)], rows, { high: true });
  };
  const table = asTable("As a table", numbers);
  const box = el("div", {}, at, table);
  let data = [[], ...series.map(() => [])];
  let plot = null;

  const axis = (name) => ({
    label: name, labelSize: 22, labelFont: "12px system-ui, sans-serif", font: "11px system-ui, sans-serif",
    stroke: paletteColour("soft"), grid: { stroke: paletteColour("line"), width: 1 }, ticks: { stroke: paletteColour("line"), width: 1 },
    values: (_, splits) => splits.map((value) => (value === null ? "" : mark(value))),
  });
  const draw = async () => {
    const uPlot = await uPlotLoaded();
    if (signal?.aborted) return;
    plot?.destroy();
    plot = new uPlot(
      {
        width: Math.max(at.clientWidth, 200), height,
        scales: { x: { time: false, distr: logX ? 3 : 1 } },
        axes: [{ ...axis(xLabel), size: 34 }, { ...axis(yLabel), size: 58 }],
        legend: { live: true }, cursor: { drag: { x: false, y: false } },
        series: [
          { label: xLabel, value: (_, value) => figure(value) },
          ...series.map((one) => ({
            label: one.name, stroke: paletteColour(one.colour), width: 2, dash: one.dash, spanGaps: true,
            points: { show: one.points ?? false, size: 6 }, value: (_, value) => figure(value),
          })),
        ],
      },
      data, at,
    );
    if (onPick) plot.over.addEventListener("click", () => plot.cursor.idx !== null && onPick(plot.data[0][plot.cursor.idx]));
  };
  const fit = new ResizeObserver(() => plot?.setSize({ width: Math.max(at.clientWidth, 200), height }));
  const night = matchMedia("(prefers-color-scheme: dark)");
  draw();
  fit.observe(at);
  night.addEventListener("change", draw);
  signal?.addEventListener("abort", () => {
    fit.disconnect();
    night.removeEventListener("change", draw);
    plot?.destroy();
  });
  const update = (next) => {
    data = next;
    plot?.setData(next);
  };
  return { box, update };
}
