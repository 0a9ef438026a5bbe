import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Points, Rule } from "#src/modules/scoring/score.ts";
import { leftOf, pointsOf, scoreOf } from "#src/modules/scoring/score.ts";

const DAY_MS = 86_400_000;
const NOON = 20_000 * DAY_MS + DAY_MS / 2;

const eventRule = (id: string, points: number, decay_days: number | null): Rule => ({
  ...{ id, name: id, points, decay_days },
  condition: { event: "message.read" },
});
const never = () => false;

const rules = fc
  .array(
    fc.record({
      points: fc.integer({ min: -1000, max: 1000 }).filter((one) => one !== 0),
      decay: fc.option(fc.integer({ min: 1, max: 40 })),
    }),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((some) => some.map(({ points, decay }, at) => eventRule(`rule_${at}`, points, decay)));
/** Which rule, and how many milliseconds after noon. */
const happenings = fc.array(fc.tuple(fc.nat(3), fc.nat(60 * DAY_MS)), { maxLength: 60 });

/** Those of a day together, as they are kept. */
function fold(given: readonly Points[]): Points[] {
  const groups = Map.groupBy(given, ({ rule_id, decay_days, day }) => `${rule_id} ${decay_days} ${day}`);
  return [...groups.values()].map((some) => ({
    ...some[0]!,
    points: some.reduce((sum, { points }) => sum + points, 0),
    count: some.length,
    last_at: Math.max(...some.map(({ last_at }) => last_at)),
  }));
}

describe("points", () => {
  test("fade evenly to nothing over their days, at midnight, and not at all without", () => {
    const given = pointsOf(eventRule("rule", 10, 5), NOON);
    const on = (days: number) => leftOf(given, NOON + days * DAY_MS);
    expect([0, 0.49, 0.5, 1, 2, 4, 4.49, 4.5, 9].map(on)).toEqual([10, 10, 8, 8, 6, 2, 2, 0, 0]);
    expect(on(-3)).toBe(10);
    expect(leftOf(pointsOf(eventRule("rule", 10, null), NOON), NOON + 9_999 * DAY_MS)).toBe(10);
  });

  test("are worth no more with each day, and are gone exactly when their row may go", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 3650 }), fc.nat(4000), (points, decay, days) => {
        const given = pointsOf(eventRule("rule", points, decay), NOON);
        const [now, later] = [NOON + days * DAY_MS, NOON + (days + 1) * DAY_MS];
        expect(leftOf(given, now)).toBeGreaterThanOrEqual(leftOf(given, later));
        expect(leftOf(given, now) === 0).toBe(given.fades_at! <= now);
        expect(leftOf(given, given.fades_at! - 1)).toBeCloseTo(points / decay, 9);
      }),
    );
  });
});

describe("a score", () => {
  test("is the exact sum, rounded once, whatever was kept together and in whatever order", () => {
    fc.assert(
      fc.property(rules, happenings, fc.nat(100), (some, happened, days) => {
        const given = happened.filter(([at]) => at < some.length).map(([at, ms]) => pointsOf(some[at]!, NOON + ms));
        const now = NOON + days * DAY_MS;
        const score = scoreOf(some, given, never, now);
        expect(scoreOf(some, fold(given.toReversed()), never, now)).toEqual(score);
        // In whole numbers: a common denominator of all decays up to 40 fits a bigint.
        const common = Array.from({ length: 40 }, (_, at) => BigInt(at + 1)).reduce((all, one) => all * one, 1n);
        const exact = given.reduce((sum, { points, decay_days, day }) => {
          if (decay_days === 0) return sum + BigInt(points) * common;
          const left = Math.max(0, decay_days - Math.max(0, Math.floor(now / DAY_MS) - day));
          return sum + (BigInt(points * left) * common) / BigInt(decay_days);
        }, 0n);
        // Halves up: the floor of the doubled sum and one, halved.
        const doubled = 2n * exact + common;
        const floor = doubled / (2n * common) - (doubled % (2n * common) < 0n ? 1n : 0n);
        expect(score.total).toBe(Number(floor));
        expect(Object.is(score.total, -0)).toBe(false);
      }),
    );
  });

  test("tells the rules that count, the most points first", () => {
    const state: Rule = {
      id: "rule_s",
      name: "Has an address",
      points: 3,
      condition: { attribute: "email", op: "is_set" },
      decay_days: null,
    };
    const some = [eventRule("rule_a", 1, null), state, eventRule("rule_b", 10, 3), eventRule("rule_c", 9, 1)];
    const given = [pointsOf(some[0]!, NOON), pointsOf(some[2]!, NOON), pointsOf(some[3]!, NOON), pointsOf(some[2]!, NOON + DAY_MS)];
    expect(scoreOf(some, [...given, { ...given[0]!, rule_id: "rule_gone" }], () => true, NOON + DAY_MS)).toEqual({
      total: 21,
      why: [
        { rule_id: "rule_b", name: "rule_b", points: 16.67, count: 2, last_at: new Date(NOON + DAY_MS).toISOString() },
        { rule_id: "rule_s", name: "Has an address", points: 3, count: null, last_at: null },
        { rule_id: "rule_a", name: "rule_a", points: 1, count: 1, last_at: new Date(NOON).toISOString() },
      ],
    });
  });
});
