/** What a spreadsheet takes for the beginning of a formula, or skips before one, also in full width: https://owasp.org/www-community/attacks/CSV_Injection */
const formula = /^'*[=+\-@\t\r\n＝＋－＠]/;
const guarded = /^'+[=+\-@\t\r\n＝＋－＠]/;

/**
 * Puts an apostrophe before a text that a spreadsheet would run, and one more before what looks like a text that has got one:
 * so `unguardFormula` undoes it whatever the text was.
 */
export function guardFormula(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}

/** The text that `guardFormula` was given. */
export function unguardFormula(cell: string): string {
  return guarded.test(cell) ? cell.slice(1) : cell;
}

/** A record of a CSV, which ends in CR LF: https://www.rfc-editor.org/rfc/rfc4180 */
export function csvRecord(cells: readonly string[]): string {
  return `${cells.map(quote).join(",")}\r\n`;
}

/** Also around what holds a `;` or ends in white space, which not all programs leave alone. */
function quote(cell: string): string {
  return /[",;\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
