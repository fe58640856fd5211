/** A cell that no spreadsheet takes for a formula. */
function cell(value) {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Lets the browser save a table as CSV. */
export function saveCsv(name, columns, rows) {
  const lines = [columns, ...rows].map((row) => row.map(cell).join(","));
  saveText(name, `${lines.join("\n")}\n`, "text/csv");
}

/** Lets the browser save a text as a file. */
export function saveText(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
