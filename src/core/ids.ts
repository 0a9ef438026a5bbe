import { monotonicFactory } from "ulid";

/** What a public id starts with. */
export type IdPrefix = "msg" | "evt" | "key" | "ws" | "env" | "job" | "req" | "copy";

const next = monotonicFactory();

/**
 * A new public id: prefix, `_`, ULID. Ids of one process are in order of creation, also within a millisecond.
 * @param prefix names the kind of thing
 * @param now milliseconds since 1970; the ULID carries it
 */
export function newId(prefix: IdPrefix, now?: number): string {
  return `${prefix}_${next(now)}`;
}

const ENCODING = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_LENGTH = 10;

/** The least id that a thing made at `ms` can have: turns a filter by creation time into a range of ids. */
export function lowestId(prefix: IdPrefix, ms: number): string {
  let rest = Math.max(0, Math.min(ms, 2 ** 48 - 1));
  let time = "";
  for (let i = 0; i < TIME_LENGTH; i++) {
    time = ENCODING[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  return `${prefix}_${time}${"0".repeat(16)}`;
}

/** The pattern of a public id, for schemas. */
export function idPattern(prefix: IdPrefix): string {
  return `^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$`;
}
