import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { atLocal, localDateOf, nextLocal, timeOfDayPattern, type Weekday, weekdays } from "#src/core/local-time.ts";
import { changes, DAY_MS, dateOf, MINUTE_MS, reading, somewhere, timeArb, weekdayOf } from "./wall-clock.ts";

const days = fc.option(fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 4, maxLength: 7 }), { nil: undefined });

/** By walking from minute to minute and looking at what Intl writes. */
function walk(at: number, zone: string, time: string, days: readonly Weekday[] | undefined) {
  const seen = new Set<string>();
  let before = "";
  for (let minute = Math.floor(at / MINUTE_MS) * MINUTE_MS - 4 * 60 * MINUTE_MS; ; minute += MINUTE_MS) {
    const now = reading(minute, zone);
    if (minute >= at)
      for (const date of new Set([dateOf(before), dateOf(now)])) {
        if (days !== undefined && !days.includes(weekdayOf(date))) continue;
        const asked = `${date} ${time}`;
        if (now === asked && !seen.has(now)) return { at: minute, asked, isGap: false };
        if (before < asked && asked < now && !seen.has(now)) return { at: minute, asked, isGap: true };
      }
    seen.add(now);
    before = now;
  }
}

describe("9:00 in the morning", () => {
  const mornings = (zone: string, from: string, count: number) => {
    let at = Date.parse(from);
    return Array.from({ length: count }, () => {
      const morning = nextLocal(at, zone, { time: "09:00" });
      at = morning + 1;
      return new Date(morning).toISOString().slice(0, 16);
    });
  };

  test("comes once a day, by the clock on the wall, when clocks are changed", () => {
    expect(mornings("Europe/Berlin", "2026-03-28T00:00Z", 3)).toEqual(["2026-03-28T08:00", "2026-03-29T07:00", "2026-03-30T07:00"]);
    expect(mornings("Europe/Berlin", "2026-10-24T00:00Z", 3)).toEqual(["2026-10-24T07:00", "2026-10-25T08:00", "2026-10-26T08:00"]);
    expect(mornings("America/New_York", "2026-03-07T00:00Z", 3)).toEqual(["2026-03-07T14:00", "2026-03-08T13:00", "2026-03-09T13:00"]);
    expect(mornings("America/New_York", "2026-10-31T00:00Z", 3)).toEqual(["2026-10-31T13:00", "2026-11-01T14:00", "2026-11-02T14:00"]);
    expect(mornings("Asia/Kathmandu", "2028-02-28T00:00Z", 3)).toEqual(["2028-02-28T03:15", "2028-02-29T03:15", "2028-03-01T03:15"]);
    expect(mornings("Australia/Lord_Howe", "2026-04-03T12:00Z", 2)).toEqual(["2026-04-03T22:00", "2026-04-04T22:30"]);
    expect(mornings("Australia/Lord_Howe", "2026-10-02T12:00Z", 2)).toEqual(["2026-10-02T22:30", "2026-10-03T22:00"]);
  });

  test("doesn't come on the day that Apia left out", () => {
    expect(mornings("Pacific/Apia", "2011-12-28T12:00Z", 3)).toEqual(["2011-12-28T19:00", "2011-12-29T19:00", "2011-12-30T19:00"]);
    expect(localDateOf(Date.parse("2011-12-29T19:00Z"), "Pacific/Apia")).toBe("2011-12-29");
    expect(localDateOf(Date.parse("2011-12-30T19:00Z"), "Pacific/Apia")).toBe("2011-12-31");
    const friday = nextLocal(Date.parse("2011-12-29T12:00Z"), "Pacific/Apia", { time: "09:00", weekdays: ["fri"] });
    expect(localDateOf(friday, "Pacific/Apia")).toBe("2012-01-06");
    expect(atLocal("2011-12-30T09:00", "Pacific/Apia")).toBe(Date.parse("2011-12-30T19:00Z"));
  });

  test("comes 365 or 366 times a year, in every zone", () => {
    for (const zone of Object.keys(changes)) {
      const dates = mornings(zone, "2028-01-01T00:00Z", 366).map((morning) => reading(Date.parse(`${morning}Z`), zone));
      expect(dates.every((text) => text.endsWith("09:00"))).toBe(true);
      expect(new Set(dates).size).toBe(366);
      expect(Date.parse(`${dates.at(-1)!.slice(0, 10)}Z`) - Date.parse(`${dates[0]!.slice(0, 10)}Z`)).toBe(365 * DAY_MS);
    }
  });
});

describe("the next local time", () => {
  test("is the first of two that read the same, and never both", () => {
    const next = (at: string) => new Date(nextLocal(Date.parse(at), "Europe/Berlin", { time: "02:30" })).toISOString();
    expect(next("2026-10-24T12:00Z")).toBe("2026-10-25T00:30:00.000Z");
    expect(next("2026-10-25T00:30:00.000Z")).toBe("2026-10-25T00:30:00.000Z");
    expect(next("2026-10-25T00:30:00.001Z")).toBe("2026-10-26T01:30:00.000Z");
    expect(next("2026-10-25T01:10Z")).toBe("2026-10-26T01:30:00.000Z");
  });

  test("is just after the gap where it is skipped", () => {
    expect(nextLocal(Date.parse("2026-03-28T12:00Z"), "Europe/Berlin", { time: "02:30" })).toBe(Date.parse("2026-03-29T01:00Z"));
    expect(atLocal("2026-10-04T02:10", "Australia/Lord_Howe")).toBe(Date.parse("2026-10-03T15:30Z"));
    // The gap ends at midnight: Saturday's 23:30 is Sunday's first moment.
    const saturday = { time: "23:30", weekdays: ["sat"] as const };
    expect(nextLocal(Date.parse("2026-03-29T01:00Z"), "America/Nuuk", saturday)).toBe(Date.parse("2026-03-29T01:00Z"));
  });

  test("is what a walk over the minutes finds first, and then one of a later date", () => {
    fc.assert(
      fc.property(somewhere, timeArb, days, ({ zone, at }, time, days) => {
        const asked = { time, weekdays: days };
        const found = walk(at, zone, time, days);
        const next = nextLocal(at, zone, asked);
        expect(next).toBe(found.at);
        expect(found.isGap || reading(next, zone) === found.asked).toBe(true);
        const later = walk(next + 1, zone, time, days);
        expect(nextLocal(next + 1, zone, asked)).toBe(later.at);
        expect(dateOf(later.asked) > dateOf(found.asked)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("reads as asked or ends a gap in every zone there is, whatever was asked before", () => {
    const zones = fc.constantFrom(...Intl.supportedValuesOf("timeZone"));
    const moments = fc.integer({ min: Date.parse("1975-01-01T00:00Z"), max: Date.parse("2040-01-01T00:00Z") });
    fc.assert(
      fc.property(zones, moments, timeArb, (zone, at, time) => {
        const next = nextLocal(at, zone, { time });
        expect(next).toBeGreaterThanOrEqual(at);
        expect(next - at).toBeLessThan(2.1 * DAY_MS);
        const now = reading(next, zone);
        if (!now.endsWith(time)) {
          const asked = `${dateOf(reading(next - 1, zone))} ${time}`;
          const isGapOf = (asked: string) => reading(next - 1, zone) < asked && asked < now;
          expect(isGapOf(asked) || isGapOf(`${dateOf(now)} ${time}`)).toBe(true);
        }
        expect(nextLocal(next, zone, { time })).toBe(next);
        expect(nextLocal(at, zone, { time })).toBe(next);
      }),
      { numRuns: 3_000 },
    );
  });

  test("needs a weekday, a time of day and a zone", () => {
    expect(() => nextLocal(0, "UTC", { time: "09:00", weekdays: [] })).toThrow(RangeError);
    expect(() => nextLocal(0, "Mars/Olympus", { time: "09:00" })).toThrow(RangeError);
    for (const time of ["9:00", "24:00", "09:60", "09:00:00", ""]) {
      expect(new RegExp(timeOfDayPattern).test(time)).toBe(false);
      expect(() => nextLocal(0, "UTC", { time })).toThrow(RangeError);
    }
  });
});

describe("a written local time", () => {
  test("is the moment at which a clock there reads so first", () => {
    expect(atLocal("2026-12-01T09:00", "Asia/Kathmandu")).toBe(Date.parse("2026-12-01T03:15Z"));
    expect(atLocal("2026-10-25T02:30", "Europe/Berlin")).toBe(Date.parse("2026-10-25T00:30Z"));
    fc.assert(
      fc.property(somewhere, ({ zone, at }) => {
        const minute = Math.floor(at / MINUTE_MS) * MINUTE_MS;
        const text = reading(minute, zone);
        const back = atLocal(text.replace(" ", "T"), zone)!;
        expect(reading(back, zone)).toBe(text);
        expect(back).toBeLessThanOrEqual(minute);
      }),
    );
  });

  test("is refused where there is no such date or time", () => {
    for (const text of [
      "2026-02-29T09:00",
      "2026-13-01T09:00",
      "2026-12-01T24:00",
      "2026-12-01",
      "2026-12-01T09:00Z",
      "",
      "+002026-12-01T09:00",
    ])
      expect(atLocal(text, "UTC")).toBeNull();
  });
});
