import { toTime } from "./clock.ts";

/** What stands in a column of a table, and so how its cells are written. A null leaves the cell empty. */
export type CsvColumn = { name: string } & (
  | {
      /** `plain` is a number, or a text that is known to be no formula. */
      kind: "text" | "plain";
    }
  | {
      /** Milliseconds. */
      kind: "time";
    }
  | {
      /** A text within a JSON object. */
      kind: "member";
      member: string;
    }
  | {
      /** A JSON list of texts. */
      kind: "list";
    }
  | {
      /** A JSON object. */
      kind: "object";
      /** What its members are called in the cell, in this order; others are left out. All of them as they are without it. */
      keys?: Readonly<Record<string, string>>;
    }
);

/** Some lines of CSV in UTF-8, and what they were made of. */
export interface CsvPart {
  bytes: Uint8Array<ArrayBuffer>;
  rows: number;
  /** The values of the last row. */
  last: readonly unknown[] | undefined;
}

const encoder = new TextEncoder();

/** The names of the columns, as the first line: https://www.rfc-editor.org/rfc/rfc4180 */
export function csvHeader(columns: readonly CsvColumn[]): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${columns.map(({ name }) => name).join(",")}\r\n`);
}

/** Rows as lines, each of which ends in CR LF. @param rows values in the order of the columns */
export function writeCsv(rows: readonly (readonly unknown[])[], columns: readonly CsvColumn[]): CsvPart {
  const writers = columns.map(writerOf);
  let text = "";
  for (const row of rows) {
    for (let at = 0; at < writers.length; at++) {
      const value = row[at];
      if (at > 0) text += ",";
      if (value !== null && value !== undefined) text += writers[at]!(value);
    }
    text += "\r\n";
  }
  return { bytes: encoder.encode(text), rows: rows.length, last: rows.at(-1) };
}

function writerOf(column: CsvColumn): (value: unknown) => string {
  switch (column.kind) {
    case "text":
      return (value) => quote(guardFormula(String(value)));
    case "plain":
      return String;
    case "time":
      return (value) => toTime(value as number);
    case "member":
      return (value) => quote(guardFormula((JSON.parse(value as string) as Record<string, string | null>)[column.member] ?? ""));
    case "list":
      return (value) => quote(writeList(value as string));
    case "object":
      return (value) => (value === "{}" ? "{}" : quote(writeObject(value as string, column.keys)));
    default:
      throw new Error(`a column of an unknown kind: ${String(column satisfies never)}`);
  }
}

/** What makes more of a list than texts that stand in a cell as they are. */
const unplain = /[\\;]|"['=+\-@\t＝＋－＠]/;

function writeList(json: string): string {
  if (json === "[]") return "";
  return unplain.test(json) ? joinList(JSON.parse(json) as string[]) : json.slice(2, -2).replaceAll('","', ";");
}

function writeObject(json: string, keys: Readonly<Record<string, string>> | undefined): string {
  if (keys === undefined) return json;
  const object = JSON.parse(json) as Record<string, unknown>;
  const shown: Record<string, unknown> = {};
  for (const key in keys) if (Object.hasOwn(object, key)) shown[keys[key]!] = object[key];
  return JSON.stringify(shown);
}

/** What a spreadsheet takes for the beginning of a formula, or skips before one, also in full width: https://owasp.org/www-community/attacks/CSV_Injection */
const formula = /^'*[=+\-@\t\r\n＝＋－＠]/;
const guarded = /^'+[=+\-@\t\r\n＝＋－＠]/;

/**
 * Puts an apostrophe before a text that a spreadsheet would run, and one more before what looks like a text that has got one:
 * so `unguardFormula` undoes it whatever the text was.
 */
export function guardFormula(text: string): string {
  return !isLetter(text.charCodeAt(0)) && formula.test(text) ? `'${text}` : text;
}

/** As most texts begin, which needs no closer look. */
function isLetter(code: number): boolean {
  return code > 64 && code < 0xff00;
}

/** The text that `guardFormula` was given. */
export function unguardFormula(cell: string): string {
  return guarded.test(cell) ? cell.slice(1) : cell;
}

/**
 * Texts in one cell: parted by `;`, each guarded by itself, since a spreadsheet of some countries begins a cell after a `;`.
 * A `;` or a `\` of a text has a `\` before it.
 */
export function joinList(texts: readonly string[]): string {
  return texts.map((text) => guardFormula(text).replaceAll(/[;\\]/g, String.raw`\$&`)).join(";");
}

/** The texts that `joinList` was given; none of them is empty. */
export function splitList(cell: string): string[] {
  const parts = cell.match(/(?:\\[^]|[^;\\])+/g) ?? [];
  return parts.map((part) => unguardFormula(part.replaceAll(/\\([^])/g, "$1")));
}

/** A record, which ends in CR LF, of cells that are guarded where they need it. */
export function csvRecord(cells: readonly string[]): string {
  return `${cells.map(quote).join(",")}\r\n`;
}

/** Also around what holds a `;` or ends in white space, which not all programs leave alone. */
function quote(cell: string): string {
  return /[",;\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
