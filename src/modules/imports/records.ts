import Papa from "papaparse";
import { AppError } from "#src/core/errors.ts";
import type { Dialect, ImportFormat, Place } from "./model.ts";

/** Of one record: as of a body of the API. */
const RECORD_LENGTH_MAX = 1024 * 1024;
const delimiters = [",", ";", "\t"] as const;

/** A record as it stands in the file. */
export interface FileRecord {
  line: number;
  /** Of a CSV. */
  cells?: string[];
  /** Of NDJSON. */
  text?: string;
  /** Why it can't be read. */
  fault?: string;
}

interface Source {
  format: ImportFormat;
  dialect: Dialect | null;
  chunks: number;
  /** The text of a chunk. */
  textOf(seq: number): Promise<string>;
}

export interface Reading {
  records: FileRecord[];
  next: Place;
  done: boolean;
}

/** What a parser took from the beginning of a text. */
interface Parsed {
  records: FileRecord[];
  /** Where it stopped (UTF-16 units), and how many lines it went over. */
  end: number;
  lines: number;
}

/** How a CSV is written, and what stands in its first record. @throws AppError `bad_request` where that has no end */
export function readHeader(text: string, isWhole: boolean): { dialect: Dialect; header: string[]; begin: Place } {
  const end = endOfRecord(text);
  if (end === text.length && !isWhole)
    throw new AppError("bad_request", "The first line of the file, which names its columns, has no end.");
  const line = text.slice(0, end);
  const newline = text.startsWith("\r\n", end) ? "\r\n" : text[end] === "\r" ? "\r" : "\n";
  const bare = line.replace(/"[^"]*"/g, "");
  const counts = delimiters.map((delimiter) => bare.split(delimiter).length);
  const delimiter = delimiters[counts.indexOf(Math.max(...counts))]!;
  const dialect: Dialect = { delimiter, newline };
  const [first] = parserOf(dialect, 1).parse(line, 0, false).data;
  const lines = 1 + (line.split(newline).length - 1);
  return { dialect, header: first ?? [], begin: { seq: 0, at: Math.min(text.length, end + newline.length), line: 1 + lines } };
}

/** Where a line break stands that is not within quotes. */
function endOfRecord(text: string): number {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') quoted = !quoted;
    else if (!quoted && (char === "\n" || char === "\r")) return at;
  }
  return text.length;
}

/** Reads a file from any record on. */
export function createRecordReader({ format, dialect, chunks, textOf }: Source) {
  let kept: { seq: number; text: string } | undefined;
  const parse = format === "csv" ? csvParser(dialect!) : parseLines;

  async function textAt(seq: number): Promise<string> {
    if (kept?.seq !== seq) kept = { seq, text: await textOf(seq) };
    return kept.text;
  }

  /**
   * @param most records
   * @throws AppError `bad_request` for a record without an end
   */
  return async (place: Place, most: number): Promise<Reading> => {
    const first = await textAt(place.seq);
    const lengths = [first.length];
    let text = first.slice(place.at);
    for (;;) {
      const isLast = place.seq + lengths.length === chunks;
      const { records, end, lines } = parse(text, most, isLast, place.line);
      if (end > 0 || isLast) {
        let [seq, at] = [place.seq, place.at + end];
        for (const length of lengths) {
          if (at < length || seq === chunks - 1) break;
          at -= length;
          seq++;
        }
        const done = isLast && end === text.length;
        return { records, next: { seq, at, line: place.line + lines }, done };
      }
      if (text.length > RECORD_LENGTH_MAX) throw endless(place.line);
      const more = await textOf(place.seq + lengths.length);
      lengths.push(more.length);
      text += more;
    }
  };
}

function endless(line: number): AppError {
  return new AppError("bad_request", `The record that begins in line ${line} has no end, or is longer than 1 MiB: is a quote missing?`);
}

function csvParser(dialect: Dialect) {
  const breaks = dialect.newline === "\r" ? "\r" : "\n";
  return (text: string, most: number, isLast: boolean, line: number): Parsed => {
    const parser = parserOf(dialect, most);
    let answer = parser.parse(text, 0, !isLast);
    const isOpen = answer.errors.some(({ code }) => code === "MissingQuotes");
    // The rest of the file is no row: what is before it is read first.
    if (isOpen) answer = parser.parse(text, 0, true);
    const { data, errors, meta } = answer;
    if (isOpen && data.length === 0) throw endless(line);
    const faults = new Map(errors.map(({ row, code }) => [row, code]));
    const records: FileRecord[] = [];
    let lines = 0;
    for (let row = 0; row < data.length; row++) {
      const cells = data[row]!;
      // A spreadsheet writes rows without a text as delimiters alone.
      if (cells.some((cell) => cell !== "")) {
        const isFaulty = faults.size > 0 && faults.has(row);
        records.push(isFaulty ? { line: line + lines, fault: "A quote does not end where its cell does." } : { line: line + lines, cells });
      }
      lines++;
      for (const cell of cells) if (cell.includes(breaks)) lines += cell.split(breaks).length - 1;
    }
    // What comes after the last line break is no record, but has been read.
    return { records, end: isLast && !isOpen && meta.truncated !== true ? text.length : meta.cursor, lines };
  };
}

function parseLines(text: string, most: number, isLast: boolean, line: number): Parsed {
  const records: FileRecord[] = [];
  let [end, lines] = [0, 0];
  while (records.length < most && end < text.length) {
    const found = text.indexOf("\n", end);
    if (found === -1 && !isLast) break;
    const stop = found === -1 ? text.length : found;
    const one = text.slice(end, stop);
    if (one.trim() !== "")
      records.push(
        one.length > RECORD_LENGTH_MAX
          ? { line: line + lines, fault: "The line is longer than 1 MiB." }
          : { line: line + lines, text: one },
      );
    lines++;
    end = Math.min(text.length, stop + 1);
  }
  return { records, end, lines };
}

interface ParserAnswer {
  data: string[][];
  errors: { row: number; code: string }[];
  meta: { cursor: number; truncated?: boolean };
}

/** Its fast mode goes over the whole text whatever the preview is. */
function parserOf({ delimiter, newline }: Dialect, preview: number) {
  const parser = new Papa.Parser({ delimiter, newline, quoteChar: '"', fastMode: false, preview });
  return { parse: (text: string, base: number, ignoreLastRow: boolean) => parser.parse(text, base, ignoreLastRow) as ParserAnswer };
}
