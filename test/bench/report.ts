/** One line of the table: what we reach, what it is held against, and what the ratio has to be. */
export interface Figure {
  name: string;
  ours: number;
  theirs: number;
  /** What `theirs` is. */
  against: string;
  unit: string;
  /** `ours / theirs` must be at least this, or stay under it. */
  target: { atLeast: number } | { under: number };
  /** What a reader must know of how it was measured. */
  note?: string;
}

/** A figure that can't be had on this machine, and what would mend that. */
export interface Skipped {
  name: string;
  reason: string;
}

const ratioOf = ({ ours, theirs }: Figure): number => ours / theirs;

function isReached(figure: Figure): boolean {
  const ratio = ratioOf(figure);
  return "atLeast" in figure.target ? ratio >= figure.target.atLeast : ratio < figure.target.under;
}

function isSkipped(result: Figure | Skipped): result is Skipped {
  return "reason" in result;
}

export function toJson(results: (Figure | Skipped)[]): string {
  const plain = results.map((result) =>
    isSkipped(result) ? result : { ...result, ratio: round(ratioOf(result), 3), reached: isReached(result) },
  );
  return `${JSON.stringify({ results: plain }, null, 2)}\n`;
}

export function toTable(results: (Figure | Skipped)[]): string {
  const rows = [["figure", "ours", "against", "ratio", "must be", ""], ...results.map(toRow)];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  const notes = results.flatMap((result) => (!isSkipped(result) && result.note !== undefined ? [`${result.name}: ${result.note}`] : []));
  return `${[...lines, "", ...notes].join("\n").trimEnd()}\n`;
}

function toRow(result: Figure | Skipped): string[] {
  if (isSkipped(result)) return [result.name, "not measured", result.reason, "", "", ""];
  const { name, ours, theirs, against, unit, target } = result;
  const bound = "atLeast" in target ? `at least ${target.atLeast}` : `under ${target.under}`;
  return [
    name,
    `${show(ours)} ${unit}`,
    `${show(theirs)} ${unit}, ${against}`,
    show(ratioOf(result)),
    bound,
    isReached(result) ? "reached" : "SHORT",
  ];
}

function show(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : String(round(value, 2));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
