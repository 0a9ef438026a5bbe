import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addDuration, atDate, durationMs, durationPattern, offsetPattern, parseDuration } from "#src/core/duration.ts";
import { DAY_MS, dateOf, reading, somewhere } from "./wall-clock.ts";

const later = (at: string, duration: string, zone: string) => new Date(addDuration(Date.parse(at), duration, zone)).toISOString();

describe("a duration", () => {
  test("is a number and a unit", () => {
    expect(parseDuration("3d")).toEqual({ count: 3, unit: "d" });
    expect(parseDuration("-9999w")).toEqual({ count: -9_999, unit: "w" });
    for (const text of ["", "d", "0d", "03d", "10000s", "1.5h", "1 d", "1M", "3d\n", "--3d", "+3d"]) {
      expect(parseDuration(text)).toBeNull();
      expect(new RegExp(offsetPattern).test(text)).toBe(false);
    }
    expect(new RegExp(durationPattern).test("90m")).toBe(true);
    expect(new RegExp(durationPattern).test("-90m")).toBe(false);
    expect(() => addDuration(0, "soon", "UTC")).toThrow(RangeError);
    expect(durationMs({ count: 2, unit: "w" })).toBe(14 * DAY_MS);
  });

  test("in days keeps the local time of day across a change of clocks, one in hours is elapsed time", () => {
    expect(later("2026-03-28T08:00:00.123Z", "1d", "Europe/Berlin")).toBe("2026-03-29T07:00:00.123Z");
    expect(later("2026-03-28T08:00:00.123Z", "24h", "Europe/Berlin")).toBe("2026-03-29T08:00:00.123Z");
    expect(later("2026-10-24T07:00Z", "1w", "Europe/Berlin")).toBe("2026-10-31T08:00:00.000Z");
    expect(later("2026-04-03T22:00Z", "1d", "Australia/Lord_Howe")).toBe("2026-04-04T22:30:00.000Z");
    expect(later("2028-02-28T12:00Z", "1d", "UTC")).toBe("2028-02-29T12:00:00.000Z");
    expect(later("2027-02-28T12:00Z", "1d", "UTC")).toBe("2027-03-01T12:00:00.000Z");
  });

  test("ends just after the gap, at the first of two, or a day later where the day was left out", () => {
    expect(later("2026-03-28T01:30Z", "1d", "Europe/Berlin")).toBe("2026-03-29T01:00:00.000Z");
    expect(later("2026-10-24T00:30Z", "1d", "Europe/Berlin")).toBe("2026-10-25T00:30:00.000Z");
    expect(later("2026-10-25T01:30Z", "1d", "Europe/Berlin")).toBe("2026-10-26T01:30:00.000Z");
    expect(later("2011-12-29T19:00Z", "1d", "Pacific/Apia")).toBe("2011-12-30T19:00:00.000Z");
  });

  test("in days comes to that date and time by the clock on the wall, wherever that reads so", () => {
    fc.assert(
      fc.property(somewhere, fc.integer({ min: 1, max: 400 }), ({ zone, at }, count) => {
        const end = addDuration(at, `${count}d`, zone);
        const start = reading(at, zone);
        const asked = new Date(Date.parse(`${dateOf(start)}T00:00Z`) + count * DAY_MS).toISOString().slice(0, 10) + start.slice(10);
        expect(end).toBeGreaterThan(at);
        const read = reading(end, zone);
        // Else it was skipped: the clock goes past it at that very moment.
        if (read !== asked && asked.slice(0, 10) !== "2011-12-30") expect(reading(end - 1, zone) < asked && asked < read).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("a date", () => {
  const moment = (...given: Parameters<typeof atDate>) => new Date(atDate(...given)!).toISOString();

  test("is midnight there, or the time of day that is asked for", () => {
    expect(moment("2026-05-06", "Asia/Kathmandu")).toBe("2026-05-05T18:15:00.000Z");
    expect(moment("2026-05-06", "Asia/Kathmandu", { time: "09:00" })).toBe("2026-05-06T03:15:00.000Z");
  });

  test("is moved by days on the calendar, and by hours that pass", () => {
    expect(moment("2026-03-30", "Europe/Berlin", { time: "09:00", offset: "-3d" })).toBe("2026-03-27T08:00:00.000Z");
    expect(moment("2028-03-01", "Europe/Berlin", { time: "09:00", offset: "-1d" })).toBe("2028-02-29T08:00:00.000Z");
    expect(moment("2026-03-28", "Europe/Berlin", { time: "09:00", offset: "1w" })).toBe("2026-04-04T07:00:00.000Z");
    expect(moment("2026-03-29", "Europe/Berlin", { time: "09:00", offset: "-9h" })).toBe("2026-03-28T22:00:00.000Z");
  });

  test("is refused where there is none such", () => {
    for (const date of ["2026-02-29", "2026-5-6", "", "2026-05-06T00:00"]) expect(atDate(date, "UTC")).toBeNull();
    expect(atDate("2026-05-06", "UTC", { time: "9:00" })).toBeNull();
  });
});
