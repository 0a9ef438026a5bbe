import { describe, expect, test } from "bun:test";
import { localDateOf } from "#src/core/local-time.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { makeContact } from "#test/support/scoring.ts";
import { enroll, journey, makeSequence, sending } from "#test/support/sequences.ts";

const DAY = 86_400_000;
/** Longer than a zone goes without a change, where it has any. */
const DAYS = 230;
const zones = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"];

describe.each(appEngines)("local times in sequences on %s", (engine) => {
  test("nine o'clock is nine o'clock, once a day, in each zone and over a change of clocks", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const steps = [{ id: "wait", type: "wait", until: { time: "09:00" } }, sending("Good morning", { next: "wait" })];
    const id = await makeSequence(sandbox, { steps });
    const zoneOf = new Map<string, string>();
    for (const [n, timezone] of zones.entries()) {
      const contact = await makeContact(sandbox, { username: `person_${n}`, timezone });
      zoneOf.set(contact, timezone);
      await enroll(sandbox, id, contact);
    }
    await journey(app, DAYS * DAY);
    const rows = await app.db.read
      .selectFrom("messages")
      .select(["contact_id", "created_at"])
      .orderBy("created_at")
      .orderBy("id")
      .execute();
    for (const [contact, timeZone] of zoneOf) {
      const times = rows.filter(({ contact_id }) => contact_id === contact).map(({ created_at }) => created_at);
      const clock = new Intl.DateTimeFormat("en-GB", { timeZone, timeStyle: "medium" });
      expect(new Set(times.map((at) => clock.format(at)))).toEqual(new Set(["09:00:00"]));
      const days = times.map((at) => Date.parse(localDateOf(at, timeZone)) / DAY);
      expect(days.every((day, at) => at === 0 || day === days[at - 1]! + 1)).toBe(true);
      expect([DAYS - 1, DAYS, DAYS + 1]).toContain(days.length);
    }
  }, 120_000);
});
