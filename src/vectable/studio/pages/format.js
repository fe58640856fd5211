const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A count: 12,345. */
export function count(value) {
  return whole.format(value);
}

/** "1 row", "12,345 rows". */
export function counted(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A number with as many digits as one reads; anything else as text. */
export function figure(value) {
  if (typeof value !== "number") return value === null || value === undefined ? "–" : String(value);
  if (!Number.isFinite(value)) return String(value);
  // Without a comma below 10,000: it may be a year.
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return Math.abs(value) < 1e4 ? String(value) : count(value);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2);
  if (size >= 1000) return count(value);
  return value.toPrecision(size >= 1 ? 4 : 3);
}

/** A number beside an axis: no zeros at its end. */
export function mark(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-3 ? Number(value.toPrecision(3)).toExponential() : String(Number(value.toPrecision(4)));
}

/** A number with its sign: +0.25, −0.25. */
export function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}

/** Bytes as one says them. */
export function bytes(value) {
  const units = ["B", "kB", "MB", "GB"];
  const at = value < 1 ? 0 : Math.min(3, Math.floor(Math.log10(value) / 3));
  const number = value / 1000 ** at;
  return `${at && number < 10 ? number.toFixed(1) : Math.round(number)} ${units[at]}`;
}

/** A moment as one says it. */
export function moment(iso) {
  const when = new Date(iso);
  if (Number.isNaN(when.getTime())) return "";
  return when.toLocaleString("en", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}
