import { invalidField } from "#src/core/errors.ts";
import { tidyText, wordsOf } from "#src/core/search-text.ts";
import { readTime } from "#src/core/time-field.ts";
import type { ContactCondition, ContactFilter, ContactSort } from "./model.ts";
import type { SoughtValue } from "./lead-sql.ts";
import type { ContactRow, Narrowed, Place } from "./store.ts";

/** Words of a search beyond these narrow it no further. */
const WORDS_MAX = 8;

/** What is asked of others to read a filter. */
interface Sources {
  /** The condition that `key:value` stands for. @throws AppError `validation_error` on `field` */
  sought(env_id: number, text: string): Promise<SoughtValue>;
  segments: SegmentSource;
}

/** What contacts need of segments. */
export interface SegmentSource {
  /** The condition that a segment stands for at this moment. @throws AppError `validation_error` on `segment` */
  condition(env_id: number, id: string): Promise<ContactCondition>;
}

/** @throws AppError `validation_error` for a time that is none, a search without a word, or a field or segment that is not here */
export async function readFilter(env_id: number, filter: ContactFilter, { sought, segments }: Sources): Promise<Narrowed> {
  const by = narrow(filter);
  if (filter.field !== undefined) by.field = await sought(env_id, filter.field);
  if (filter.segment !== undefined) by.where = await segments.condition(env_id, filter.segment);
  return by;
}

function narrow({ search, tag, created_after, created_before, seen_after, seen_before }: ContactFilter): Narrowed {
  const by: Narrowed = {};
  if (search !== undefined) by.words = readSearch(search);
  if (tag !== undefined) by.tag = tidyText(tag);
  if (created_after !== undefined) by.created_after = readTime("created_after", created_after);
  if (created_before !== undefined) by.created_before = readTime("created_before", created_before);
  if (seen_after !== undefined) by.seen_after = readTime("seen_after", seen_after);
  if (seen_before !== undefined) by.seen_before = readTime("seen_before", seen_before);
  return by;
}

function readSearch(search: string): string[] {
  // However a number is grouped, it is kept in one.
  const isPhone = /^\s*\+?[\d\s().-]*\d[\d\s().-]*$/.test(search);
  const words = wordsOf(isPhone ? search.replace(/\D/g, "") : search).slice(0, WORDS_MAX);
  if (words.length === 0) throw invalidField("search", "bad_format", "search holds no letter or digit to look for.", search);
  return words;
}

/** Where a page ended, as its cursor keeps it: the value of the order in ASCII (of the time of making: the number), and the id. */
export function writePlace(row: ContactRow, sort: ContactSort): string {
  if (sort === "name") return `${encodeURIComponent(row.sort_name)} ${row.id}`;
  return `${sort === "-last_seen_at" ? (row.last_seen_at ?? 0) : row.number} ${row.id}`;
}

/** @throws AppError `validation_error` for a cursor that was not written by `writePlace` */
export function placeOf(text: string, sort: ContactSort): Place {
  const found = /^([^ ]*) (ct_[0-9A-HJKMNP-TV-Z]{26})$/.exec(text);
  const at = found === null ? null : valueOf(found[1]!, sort);
  if (found === null || at === null)
    throw invalidField("cursor", "bad_format", "The cursor is not one that this list gave: begin without it.");
  return { id: found[2]!, at };
}

function valueOf(written: string, sort: ContactSort): string | number | null {
  if (sort !== "name") return /^\d{1,15}$/.test(written) ? Number(written) : null;
  try {
    return decodeURIComponent(written);
  } catch {
    return null;
  }
}
