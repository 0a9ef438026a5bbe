import { TIME_LEN, TIME_MAX, decodeTime, encodeTime, ulid } from "ulid";
import { systemClock } from "./clock.ts";

/** What a public id starts with. */
export type IdPrefix =
  | "msg"
  | "evt"
  | "key"
  | "ws"
  | "env"
  | "job"
  | "req"
  | "copy"
  | "ct"
  | "sup"
  | "aud"
  | "tpl"
  | "fld"
  | "rule"
  | "seg"
  | "mrg"
  | "imp"
  | "wh"
  | "dlv"
  | "th"
  | "note"
  | "fil"
  | "seq"
  | "enr"
  | "bc";

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PAIRS = Array.from({ length: 32 * 32 }, (_, number) => DIGITS[number >> 5]! + DIGITS[number & 31]!);
/** Of a ULID's 26 characters the last six count the ids of its millisecond, from a random number on. */
const TAIL_LENGTH = 6;
const TAIL_END = 32 ** TAIL_LENGTH;

/** Ids that are in order of creation among themselves. */
interface Line {
  lastMs: number;
  head: string;
  tail: number;
}

const newLine = (): Line => ({ lastMs: 0, head: "", tail: TAIL_END });
const realLine = newLine();
/** An environment whose time was moved ahead would else carry all others' ids along. */
const lines = new Map<number, Line>();

/**
 * A new public id: prefix, `_`, ULID. Ids of one process and one environment are in order of creation, also within a millisecond.
 * The library's own monotonic ULIDs make some twenty strings each, and every request and every job needs several.
 * @param prefix names the kind of thing
 * @param now milliseconds since 1970; the ULID carries it
 * @param env_id whose time that is; without it, real time
 */
export function newId(prefix: IdPrefix, now: number = systemClock.now(), env_id?: number): string {
  const line = env_id === undefined ? realLine : lineOf(env_id);
  if (now > line.lastMs || line.tail === TAIL_END) beginMillisecond(line, Math.max(now, line.lastMs + 1));
  const number = line.tail++;
  return `${prefix}_${line.head}${PAIRS[number >>> 20]}${PAIRS[(number >>> 10) & 1023]}${PAIRS[number & 1023]}`;
}

function lineOf(env_id: number): Line {
  let line = lines.get(env_id);
  if (line === undefined) lines.set(env_id, (line = newLine()));
  return line;
}

function beginMillisecond(line: Line, ms: number): void {
  line.lastMs = ms;
  line.head = ulid(ms).slice(0, -TAIL_LENGTH);
  line.tail = Math.floor((Math.random() * TAIL_END) / 2);
}

/** The least id that a thing made at `ms` can have: turns a filter by creation time into a range of ids. */
export function lowestId(prefix: IdPrefix, ms: number): string {
  return `${prefix}_${encodeTime(Math.max(0, Math.min(ms, TIME_MAX)), TIME_LEN)}${"0".repeat(16)}`;
}

/** When the thing of this id was made (ms); null for what is no public id. */
export function madeAt(id: string): number | null {
  const text = /^[a-z]+_([0-7][0-9A-HJKMNP-TV-Z]{25})$/.exec(id)?.[1];
  return text === undefined ? null : decodeTime(text);
}

/** The pattern of a public id, for schemas. */
export function idPattern(prefix: IdPrefix): string {
  return `^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$`;
}
