import { describe, expect, test } from "bun:test";
import { zoneOf } from "#src/core/contact-zone.ts";
import { isTimezone } from "#src/core/timezone.ts";
import { regionOfLanguage, zoneOfRegion } from "#src/core/zones-of-languages.ts";

describe("the zone of a contact", () => {
  test("is its own, in any spelling that is known, before all else", () => {
    expect(zoneOf({ timezone: "Asia/Katmandu", language: "de" }, "America/New_York")).toBe("Asia/Katmandu");
    expect(zoneOf({ timezone: "Mars/Olympus", language: "de" }, "America/New_York")).toBe("Europe/Berlin");
  });

  test("is that of its language or region where that has practically one", () => {
    const zones = {
      de: "Europe/Berlin",
      ja: "Asia/Tokyo",
      ne: "Asia/Kathmandu",
      "de-AT": "Europe/Vienna",
      "en-GB": "Europe/London",
      en_IN: "Asia/Kolkata",
      "pt-pt": "Europe/Lisbon",
      "zh-Hant-TW": "Asia/Taipei",
      iw: "Asia/Jerusalem",
    };
    for (const [language, zone] of Object.entries(zones)) expect(zoneOf({ timezone: null, language }, "America/New_York")).toBe(zone);
  });

  test("is the fallback, else UTC, where a language says nothing", () => {
    for (const language of ["en", "es", "pt", "ru", "zh", "fr", "ar", "en-US", "pt-BR", "de-US", "es-419", "", "?", "tlh", null, undefined])
      expect(zoneOf({ language }, "America/New_York")).toBe("America/New_York");
    expect(zoneOf({ language: "en" }, "Mars/Olympus")).toBe("UTC");
    expect(zoneOf({})).toBe("UTC");
  });

  test("is one that is known here, for every language and region in the table", () => {
    for (const [language, region] of regionOfLanguage) {
      expect(new Intl.Locale(language).maximize().region).toBe(region);
      expect(zoneOfRegion.has(region)).toBe(true);
    }
    for (const zone of zoneOfRegion.values()) expect(isTimezone(zone)).toBe(true);
  });
});
