import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { weekdays } from "#src/core/local-time.ts";
import { opensAt, type SendWindow } from "#src/core/send-window.ts";
import { DAY_MS, dateOf, dayBefore, MINUTE_MS, reading, somewhere, timeArb, weekdayOf } from "./wall-clock.ts";

const windows: fc.Arbitrary<SendWindow> = fc.record(
  { weekdays: fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 3, maxLength: 7 }), from: timeArb, to: timeArb },
  { requiredKeys: [] },
);

const opens = (at: string, zone: string, window: SendWindow, holidays: string[] = []) => {
  const opening = opensAt(Date.parse(at), zone, window, holidays);
  return opening === null ? null : new Date(opening).toISOString();
};

/** By what a clock on the wall reads, and nothing else. */
function isOpen(now: string, { weekdays, from = "00:00", to = "24:00" }: SendWindow, holidays: string[]): boolean {
  const [date, time] = [dateOf(now), now.slice(11)];
  const opensOn = (date: string) => !holidays.includes(date) && (weekdays?.includes(weekdayOf(date)) ?? true);
  if (from <= to) return from <= time && time < to && opensOn(date);
  return time >= from ? opensOn(date) : time < to && opensOn(dayBefore(date)) && !holidays.includes(date);
}

describe("a send window", () => {
  const office: SendWindow = { weekdays: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "18:00" };

  test("is open from its first minute until its last, on its weekdays", () => {
    expect(opens("2026-05-08T15:59:59.999Z", "Europe/Berlin", office)).toBe("2026-05-08T15:59:59.999Z");
    expect(opens("2026-05-08T16:00Z", "Europe/Berlin", office)).toBe("2026-05-11T07:00:00.000Z");
    expect(opens("2026-05-11T06:59:59.999Z", "Europe/Berlin", office)).toBe("2026-05-11T07:00:00.000Z");
  });

  test("that passes midnight belongs to the day on which it opened", () => {
    const night: SendWindow = { weekdays: ["fri"], from: "22:00", to: "02:00" };
    expect(opens("2026-05-08T23:30Z", "UTC", night)).toBe("2026-05-08T23:30:00.000Z");
    expect(opens("2026-05-09T01:59Z", "UTC", night)).toBe("2026-05-09T01:59:00.000Z");
    expect(opens("2026-05-08T01:59Z", "UTC", night)).toBe("2026-05-08T22:00:00.000Z");
    expect(opens("2026-05-09T02:00Z", "UTC", night)).toBe("2026-05-15T22:00:00.000Z");
  });

  test("stays shut on holidays, also for what is left of the night before and after", () => {
    expect(opens("2026-12-24T18:00Z", "Europe/Berlin", office, ["2026-12-25"])).toBe("2026-12-28T08:00:00.000Z");
    const night: SendWindow = { from: "22:00", to: "02:00" };
    expect(opens("2026-12-24T23:59Z", "UTC", night, ["2026-12-25"])).toBe("2026-12-24T23:59:00.000Z");
    expect(opens("2026-12-25T00:00Z", "UTC", night, ["2026-12-25"])).toBe("2026-12-26T22:00:00.000Z");
    expect(opens("2026-12-25T12:00Z", "UTC", {}, ["2026-12-25", "2026-12-26"])).toBe("2026-12-27T00:00:00.000Z");
  });

  test("opens just after the gap where its first minute is skipped, and not on a day on which all of it is", () => {
    expect(opens("2026-03-28T23:00Z", "Europe/Berlin", { from: "02:30", to: "04:00" })).toBe("2026-03-29T01:00:00.000Z");
    expect(opens("2026-03-28T23:00Z", "Europe/Berlin", { from: "02:15", to: "02:45" })).toBe("2026-03-30T00:15:00.000Z");
  });

  test("that a clock is set back into is open again", () => {
    expect(opens("2026-10-25T00:45Z", "Europe/Berlin", { from: "01:30", to: "02:30" })).toBe("2026-10-25T01:00:00.000Z");
    expect(opens("2026-10-25T01:00Z", "Europe/Berlin", { from: "02:15", to: "02:30" })).toBe("2026-10-25T01:15:00.000Z");
  });

  test("never opens without a weekday, without length, or with holidays alone", () => {
    expect(opens("2026-05-08T12:00Z", "UTC", { weekdays: [] })).toBeNull();
    expect(opens("2026-05-08T12:00Z", "UTC", { from: "09:00", to: "09:00" })).toBeNull();
    const holidays = Array.from({ length: 740 }, (_, day) => new Date(Date.parse("2026-05-01") + day * DAY_MS).toISOString().slice(0, 10));
    expect(opens("2026-05-08T12:00Z", "UTC", {}, holidays)).toBeNull();
  });

  test("opens when a walk over the minutes first finds it open", () => {
    fc.assert(
      fc.property(somewhere, windows, fc.uniqueArray(fc.integer({ min: -1, max: 4 }), { maxLength: 2 }), ({ zone, at }, window, away) => {
        fc.pre((window.from ?? "00:00") !== (window.to ?? "24:00"));
        const holidays = away.map((days) => dateOf(reading(at + days * DAY_MS, zone)));
        const opening = opensAt(at, zone, window, holidays);
        if (isOpen(reading(at, zone), window, holidays)) return expect(opening).toBe(at);
        let minute = Math.ceil(at / MINUTE_MS) * MINUTE_MS;
        while (!isOpen(reading(minute, zone), window, holidays)) minute += MINUTE_MS;
        return expect(opening).toBe(minute);
      }),
      { numRuns: 1_000 },
    );
  });
});
