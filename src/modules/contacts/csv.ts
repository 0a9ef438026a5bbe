import type { CsvColumn } from "#src/core/csv.ts";
import type { KnownFields } from "./fields.ts";
import type { columns as kept } from "./columns.ts";

type Kept = (typeof kept)[number];

/** A column of the export: where it comes from, and how it is written. */
export type ContactColumn = CsvColumn & { from: Kept };

const same = (name: Kept, kind: "text" | "plain" | "time") => ({ name, from: name, kind }) as const;
const ofConsent = (member: string) => ({ name: `consent_${member}`, from: "consent", kind: "member", member }) as const;

/** In their order. A new one goes to the end, so that those who read by position find the others where they were. */
const columns: readonly ContactColumn[] = [
  same("id", "plain"),
  same("number", "plain"),
  same("external_id", "text"),
  same("telegram_id", "plain"),
  same("username", "plain"),
  same("email", "text"),
  // E.164: a plus and digits, of which a spreadsheet makes a number at most.
  same("phone", "plain"),
  same("name", "text"),
  same("first_name", "text"),
  same("last_name", "text"),
  same("language", "plain"),
  same("timezone", "plain"),
  ofConsent("status"),
  ofConsent("at"),
  ofConsent("source"),
  { name: "tags", from: "tags", kind: "list" },
  { name: "metadata", from: "metadata", kind: "object" },
  same("last_seen_at", "time"),
  same("created_at", "time"),
  same("updated_at", "time"),
  { name: "fields", from: "fields", kind: "object" },
];

/** The columns of the export. @param known whose keys the custom fields are written under */
export function contactColumns(known: KnownFields): ContactColumn[] {
  const keys = Object.fromEntries([...known.values()].map(({ id, key }) => [id, key]));
  return columns.map((column) => (column.name === "fields" ? { name: "fields", from: "fields", kind: "object", keys } : column));
}
