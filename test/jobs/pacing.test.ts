import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createPace } from "#src/jobs/pacing.ts";

const limits = fc.array(fc.record({ count: fc.integer({ min: 1, max: 6 }), per_ms: fc.integer({ min: 1, max: 1_000 }) }), {
  minLength: 1,
  maxLength: 3,
});
/** Uses that are begun as soon as may be, with a pause before each and so long until it is on the wire; some are given up. */
const uses = fc.array(fc.record({ pause: fc.nat(400), lag: fc.constantFrom(0, 0, 5, 300), given_up: fc.boolean() }), {
  minLength: 1,
  maxLength: 60,
});

describe("a pace", () => {
  test("never lets more than n through in any t milliseconds, and no fewer than it could", () => {
    fc.assert(
      fc.property(limits, uses, (given, plan) => {
        const pace = createPace(given);
        const times: number[] = [];
        let now = 10_000;
        for (const { pause, lag, given_up } of plan) {
          now = Math.max(now + pause, pace.openAt());
          pace.reserve();
          if (given_up) pace.unused();
          else {
            now += lag;
            pace.used(now);
            times.push(now);
          }
        }
        for (const { count, per_ms } of given)
          for (const from of times) expect(times.filter((at) => at >= from && at < from + per_ms).length).toBeLessThanOrEqual(count);
        // It is closed only for a reason: one of the windows is full until the very moment that it names.
        const opensAt = pace.openAt();
        if (opensAt > now)
          expect(
            given.some(({ count, per_ms }) => times.filter((at) => at > opensAt - 1 - per_ms && at <= opensAt - 1).length >= count),
          ).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("counts what is begun and not yet on the wire", () => {
    const pace = createPace([{ count: 2, per_ms: 1_000 }]);
    pace.reserve();
    expect(pace.openAt()).toBe(0);
    pace.reserve();
    expect(pace.openAt()).toBe(Number.POSITIVE_INFINITY);
    pace.used(5_000);
    expect(pace.openAt()).toBe(6_000);
    pace.unused();
    expect(pace.openAt()).toBe(0);
    pace.reserve();
    pace.used(5_100);
    expect(pace.openAt()).toBe(6_000);
  });

  test("is idle when nothing of the past counts any more", () => {
    const pace = createPace([
      { count: 2, per_ms: 1_000 },
      { count: 5, per_ms: 60_000 },
    ]);
    expect(pace.isIdle(0)).toBe(true);
    pace.reserve();
    expect(pace.isIdle(100_000)).toBe(false);
    pace.used(5_000);
    expect([pace.isIdle(64_999), pace.isIdle(65_000)]).toEqual([false, true]);
  });

  test("without limits is always open", () => {
    const pace = createPace([]);
    for (let at = 0; at < 100; at++) pace.reserve();
    expect(pace.openAt()).toBe(0);
  });
});
