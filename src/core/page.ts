import { invalidField } from "./errors.ts";

/** Page sizes of every list. */
export const PAGE_DEFAULT = 50;
export const PAGE_MAX = 200;
/** Under a filter, totals are counted up to here. */
export const TOTAL_MAX = 10_000;

/** What a client asks of a list. */
export interface PageQuery {
  limit?: number;
  offset?: number;
  cursor?: string;
}

/** A page of a list. */
export interface Page<Item> {
  items: Item[];
  total: number;
  total_capped?: boolean;
  limit: number;
  offset: number;
  has_more: boolean;
  next_cursor: string | null;
}

/** Where to go on: opaque to clients, and good only in the environment and list that it came from. */
export function encodeCursor(list: string, env_id: number, last: string): string {
  return Buffer.from(`${list}:${env_id}:${last}`).toString("base64url");
}

/** @throws AppError `validation_error` for a cursor that is not of this list and environment */
export function decodeCursor(list: string, env_id: number, cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  const prefix = `${list}:${env_id}:`;
  if (!text.startsWith(prefix) || Buffer.from(text).toString("base64url") !== cursor || /[^\x20-\x7e]/.test(text)) throw badCursor();
  return text.slice(prefix.length);
}

/** As `decodeCursor`, for lists in the order of a number. */
export function decodeNumberCursor(list: string, env_id: number, cursor: string): number {
  const last = Number(decodeCursor(list, env_id, cursor));
  if (!Number.isSafeInteger(last)) throw badCursor();
  return last;
}

function badCursor() {
  return invalidField("cursor", "bad_format", "The cursor is not one that this list gave: begin without it.");
}

/**
 * Makes a page of rows that were read one beyond the limit.
 * @param last gives the cursor's place of an item's row
 */
export function toPage<Row, Item>(
  rows: Row[],
  ask: { list: string; env_id: number; limit: number; offset: number },
  count: { total: number; capped: boolean },
  present: (row: Row) => Item,
  last: (row: Row) => string,
): Page<Item> {
  const shown = rows.slice(0, ask.limit);
  const end = shown.at(-1);
  const has_more = rows.length > ask.limit;
  return {
    items: shown.map(present),
    total: count.total,
    ...(count.capped ? { total_capped: true } : {}),
    limit: ask.limit,
    offset: ask.offset,
    has_more,
    next_cursor: has_more && end !== undefined ? encodeCursor(ask.list, ask.env_id, last(end)) : null,
  };
}
