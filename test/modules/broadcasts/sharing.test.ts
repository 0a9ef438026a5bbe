import { expect, test } from "bun:test";
import { chosen, laterBy, type Loads } from "#src/modules/broadcasts/sharing.ts";
import type { Room, Way } from "#src/modules/messages/model.ts";

const HOUR_MS = 3_600_000;
const NOW = 1_000_000;
const endless = Number.POSITIVE_INFINITY;

const way = (account_id: number, more: Partial<Way> = {}): Way => ({
  ...{ account_id, recipient: "@sarah", isKnown: true, isOut: false, foreseen: null },
  ...more,
});
const room = (more: Partial<Room> = {}): Room => ({
  ...{ left: endless, ofDay: endless, leftToNew: endless, ofDayToNew: endless, each_ms: 0, ends_at: NOW + HOUR_MS, nobodyNewUntil: null },
  ...more,
});
const pick = (ways: readonly Way[], rooms: Record<number, Room> = {}, loads: Loads = new Map()) =>
  chosen(ways, loads, new Map(Object.entries(rooms).map(([id, one]) => [Number(id), one]))).account_id;

test("who will probably fail comes last, before them who is out, before them who is not known", () => {
  const [failing, out, stranger, friend] = [
    way(1, { foreseen: "recipient_not_found" }),
    way(2, { isOut: true }),
    way(3, { isKnown: false }),
    way(4),
  ];
  expect(pick([failing, out, stranger, friend])).toBe(4);
  expect(pick([failing, out, stranger])).toBe(3);
  expect(pick([failing, out])).toBe(2);
});

test("of equals the one comes first who would get to it first, by pace, caps and what waits", () => {
  const two = [way(1), way(2)];
  const loads: Loads = new Map([
    [1, { all: 10, fresh: 0 }],
    [2, { all: 20, fresh: 0 }],
  ]);
  expect(pick(two, {}, loads)).toBe(1);
  expect(pick(two, { 1: room({ each_ms: 30_000 }), 2: room({ each_ms: 40 }) }, loads)).toBe(2);
  expect(pick(two, { 1: room({ left: 10, ofDay: 50 }), 2: room({ left: 50, ofDay: 50 }) }, loads)).toBe(2);
  expect(pick(two, { 1: room({ left: 0, ofDay: 0 }), 2: room({ left: 0, ofDay: 1 }) }, loads)).toBe(2);
  const strangers = two.map((one) => ({ ...one, isKnown: false }));
  expect(pick(strangers, { 1: room({ leftToNew: 0, ofDayToNew: 5 }), 2: room() }, loads)).toBe(2);
});

test("what an account of several would not get to for long is put off until half of its messages have left", () => {
  const busy = { all: 500, fresh: 0 };
  expect(laterBy(way(1), { ...busy, all: 499 }, room(), true, NOW)).toBeNull();
  expect(laterBy(way(1), busy, room(), false, NOW)).toBeNull();
  const put = (one: Way, of: Room) => laterBy(one, busy, of, true, NOW);
  expect(put(way(1), room())).toEqual({ until: NOW + 1_000, why: "account_busy" });
  expect(put(way(1), room({ each_ms: 40 }))).toEqual({ until: NOW + 10_000, why: "account_busy" });
  expect(put(way(1, { isOut: true }), room())).toEqual({ until: NOW + HOUR_MS, why: "account_busy" });
  expect(put(way(1), room({ left: 0, ofDay: 0 }))).toEqual({ until: NOW + 24 * HOUR_MS, why: "account_busy" });
});
