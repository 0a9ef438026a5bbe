import { csvRecord, guardFormula, unguardFormula } from "#src/core/csv.ts";
import type { Contact } from "./model.ts";

/** A column of the CSV. */
interface Column {
  name: string;
  /** What stands in the cell; null leaves it empty. */
  cell(contact: Contact): string | number | null;
  /** Where the cell is written as it is: it is known to be no formula, or is guarded already. */
  isSafe?: true;
}

/** In their order. A new one goes to the end, so that those who read by position find the others where they were. */
const columns: readonly Column[] = [
  { name: "id", cell: ({ id }) => id },
  { name: "number", cell: ({ number }) => number },
  { name: "external_id", cell: ({ external_id }) => external_id },
  { name: "telegram_id", cell: ({ telegram_id }) => telegram_id },
  { name: "username", cell: ({ username }) => username },
  { name: "email", cell: ({ email }) => email },
  // E.164: a plus and digits, of which a spreadsheet makes a number at most.
  { name: "phone", cell: ({ phone }) => phone, isSafe: true },
  { name: "name", cell: ({ name }) => name },
  { name: "first_name", cell: ({ first_name }) => first_name },
  { name: "last_name", cell: ({ last_name }) => last_name },
  { name: "language", cell: ({ language }) => language },
  { name: "timezone", cell: ({ timezone }) => timezone },
  { name: "consent_status", cell: ({ consent }) => consent?.status ?? null },
  { name: "consent_at", cell: ({ consent }) => consent?.at ?? null },
  { name: "consent_source", cell: ({ consent }) => consent?.source ?? null },
  { name: "tags", cell: ({ tags }) => joinTags(tags), isSafe: true },
  { name: "metadata", cell: ({ metadata }) => JSON.stringify(metadata) },
  { name: "last_seen_at", cell: ({ last_seen_at }) => last_seen_at },
  { name: "created_at", cell: ({ created_at }) => created_at },
  { name: "updated_at", cell: ({ updated_at }) => updated_at },
  { name: "fields", cell: ({ fields }) => JSON.stringify(fields) },
];

/** The names of the columns, as the first line: https://www.rfc-editor.org/rfc/rfc4180 */
export const csvHeader = csvRecord(columns.map(({ name }) => name));

/** A contact as a line, which ends in CR LF. */
export function csvLine(contact: Contact): string {
  return csvRecord(
    columns.map(({ cell, isSafe }) => {
      const value = cell(contact);
      return typeof value === "string" && isSafe !== true ? guardFormula(value) : String(value ?? "");
    }),
  );
}

/**
 * Tags in one cell: parted by `;`, each guarded by itself, since a spreadsheet of some countries begins a cell after a `;`.
 * A `;` or a `\` of a tag has a `\` before it.
 */
export function joinTags(tags: readonly string[]): string {
  return tags.map((tag) => guardFormula(tag).replaceAll(/[;\\]/g, String.raw`\$&`)).join(";");
}

/** The tags that `joinTags` was given; none of them is empty. */
export function splitTags(cell: string): string[] {
  const parts = cell.match(/(?:\\[^]|[^;\\])+/g) ?? [];
  return parts.map((part) => unguardFormula(part.replaceAll(/\\([^])/g, "$1")));
}
