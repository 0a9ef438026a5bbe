import type { Room, Way } from "#src/modules/messages/model.ts";
import { AHEAD_MAX } from "./course.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LATER_MS_MIN = 1_000;

/** What an account has to do, and how much of it goes to people whom it has not written with. */
interface Load {
  all: number;
  fresh: number;
}
/** By account; who is not in it has nothing to do. */
export type Loads = Map<number, Load>;
/** By account; who is not in it can send as much as it gets. */
export type Rooms = ReadonlyMap<number, Room>;

/** Until when (ms) nothing is made for a recipient, and why. */
export interface Later {
  until: number;
  why: string;
}

const nothing: Load = { all: 0, fresh: 0 };

export const loadOf = (loads: Loads, account_id: number): Load => loads.get(account_id) ?? nothing;

export function addTo(loads: Loads, { account_id, isKnown }: Way): void {
  const { all, fresh } = loadOf(loads, account_id);
  loads.set(account_id, { all: all + 1, fresh: fresh + Number(!isKnown) });
}

/** When a message would leave that stands behind so many (ms from now). */
function delay(load: number, left: number, ofDay: number, each_ms: number): number {
  if (load < left) return load * each_ms;
  if (ofDay === 0) return Number.POSITIVE_INFINITY;
  return (1 + Math.floor((load - left) / ofDay)) * DAY_MS + ((load - left) % ofDay) * each_ms;
}

function delayOf({ all, fresh }: Load, room: Room | undefined, isKnown: boolean): number {
  if (room === undefined) return 0;
  const { left, ofDay, leftToNew, ofDayToNew, each_ms } = room;
  const delayed = delay(all, left, ofDay, each_ms);
  return isKnown ? delayed : Math.max(delayed, delay(fresh, leftToNew, ofDayToNew, each_ms));
}

/** Who knows the recipient, before who probably reaches them; of several the one who would get to it first. Who is out comes last. */
export function chosen(ways: readonly Way[], loads: Loads, rooms: Rooms): Way {
  if (ways.length === 1) return ways[0]!;
  const place = (way: Way) => {
    const load = loadOf(loads, way.account_id);
    const first = delayOf(load, rooms.get(way.account_id), way.isKnown);
    return [Number(way.foreseen !== null), Number(way.isOut), Number(!way.isKnown), first, load.all];
  };
  return ways.map((way) => ({ way, place: place(way) })).toSorted((a, b) => compare(a.place, b.place))[0]!.way;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at === -1 ? 0 : a[at]! - b[at]!;
}

/** Why an account never writes to a recipient whom it does not know; null where it does. */
export function refusalOf({ isKnown }: Way, room: Room | undefined): string | null {
  return !isKnown && room?.ofDayToNew === 0 ? "new_peer_daily_cap" : null;
}

/**
 * What an account would not get to for long is not made yet: those behind it may have another account, or be known to this one.
 * @param isShared whether there are other accounts
 * @param now the environment's time (ms)
 */
export function laterBy(way: Way, load: Load, room: Room | undefined, isShared: boolean, now: number): Later | null {
  if (room === undefined) return null;
  const { leftToNew, ends_at, nobodyNewUntil } = room;
  if (!way.isKnown && nobodyNewUntil !== null && nobodyNewUntil > now) return { until: nobodyNewUntil, why: "account_restricted" };
  if (!way.isKnown && load.fresh >= leftToNew) return { until: ends_at, why: "new_peer_daily_cap" };
  if (!isShared || load.all < AHEAD_MAX) return null;
  // Until half of it has left.
  const ms = way.isOut ? HOUR_MS : delayOf({ all: load.all - AHEAD_MAX / 2, fresh: 0 }, room, true);
  return { until: now + Math.min(DAY_MS, Math.max(LATER_MS_MIN, Math.ceil(ms))), why: "account_busy" };
}
