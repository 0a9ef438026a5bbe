import { type RawBuilder, sql } from "kysely";
import { leadingParts } from "./condition-sql.ts";
import type { ContactCondition } from "./model.ts";

/** A value of a custom field as the index has it: a text, folded, or a number. */
export interface SoughtValue {
  field_id: string;
  value: string | number;
}

/** What of a filter an index of SQLite has rows of contacts for. */
interface Indexed {
  /** Folded words, or beginnings of words. */
  words?: readonly string[];
  tag?: string;
  field?: SoughtValue;
  where?: ContactCondition;
}

/** Rows of contacts in the order of their making, as an index has them. */
interface Lead {
  rows: RawBuilder<unknown>;
  /** Whether the rows are all that the filter asks of indexes and of its condition. */
  isWhole: boolean;
}

/** One condition that an index answers: as what it finds, and as a question about a row. */
interface Part {
  /** Ends in a condition. */
  found: RawBuilder<unknown>;
  row: RawBuilder<unknown>;
  has(row: RawBuilder<unknown>): RawBuilder<boolean>;
}

/** A search leads, or else a tag or a custom field; what else an index knows is asked for each row that it finds. */
export function leadOf(env_id: number, { words, tag, field, where }: Indexed): Lead | undefined {
  const { parts: leading, isWhole } = leadingParts(where);
  const parts = [
    ...(words === undefined ? [] : [wordsPart(env_id, words)]),
    ...(tag === undefined ? [] : [tagPart(env_id, tag)]),
    ...(field === undefined ? [] : [fieldPart(env_id, field)]),
    ...leading.map((part) => ("tag" in part ? tagPart(env_id, part.tag) : fieldPart(env_id, part.field))),
  ];
  const [first, ...others] = parts;
  if (first === undefined) return undefined;
  const asked = others.map(({ has }) => sql` and ${has(first.row)}`);
  return { rows: sql`(${first.found}${asked.length === 0 ? sql`` : sql.join(asked, sql``)})`, isWhole };
}

/** https://www.sqlite.org/fts5.html#fts5_prefix_queries */
function wordsPart(env_id: number, words: readonly string[]): Part {
  const match = words.map((word) => `"${env_id}_${word}"*`).join(" ");
  const found = sql`select rowid as row from contact_words where contact_words match ${match}`;
  // It always leads.
  return { found, row: sql`contact_words.rowid`, has: (row) => sql<boolean>`${row} in (${found})` };
}

export function tagPart(env_id: number, tag: string): Part {
  const found = sql`select contact_row as row from contact_tags where env_id = ${env_id} and tag = ${tag}`;
  const has = (row: RawBuilder<unknown>) =>
    sql<boolean>`exists (select 1 from contact_tags as t where t.env_id = ${env_id} and t.tag = ${tag} and t.contact_row = ${row})`;
  return { found, row: sql`contact_tags.contact_row`, has };
}

export function fieldPart(env_id: number, { field_id, value }: SoughtValue): Part {
  const column = sql.ref(typeof value === "string" ? "txt" : "num");
  const found = sql`select contact_row as row from contact_values where env_id = ${env_id} and field_id = ${field_id} and ${column} = ${value}`;
  const has = (row: RawBuilder<unknown>) =>
    sql<boolean>`exists (select 1 from contact_values as v where v.env_id = ${env_id} and v.field_id = ${field_id} and v.${column} = ${value} and v.contact_row = ${row})`;
  return { found, row: sql`contact_values.contact_row`, has };
}
