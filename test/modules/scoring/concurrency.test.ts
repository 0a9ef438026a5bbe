import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Event } from "#src/modules/events/model.ts";
import type { ScoreRule } from "#src/modules/scoring/model.ts";
import { pointsOf, type Rule, scoreOf as scoreOfPoints } from "#src/modules/scoring/score.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { crossings, eventsOf, makeContact, makeRule, scoreOf, totalOf } from "#test/support/scoring.ts";
import { queue } from "#test/support/sending.ts";

const DAY_MS = 86_400_000;

describe.each(appEngines)("changes of one contact at once on %s", (engine) => {
  test("cross each threshold once, and lose no point", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makeRule(sandbox, 1, { event: "contact.updated" });
    await makeRule(sandbox, 1, { event: "contact.tagged" }, 10);
    await makeRule(sandbox, 1, { event: "message.sent" });
    await sandbox.patch("/v1/scoring", { thresholds: [5, 10, 20, 30, 45, 60] });
    const id = await makeContact(sandbox, { username: "sarah", telegram_id: 7 });
    const turns = Array.from({ length: 15 }, (_, at) => at);
    await Promise.all([
      ...turns.map((at) => sandbox.patch(`/v1/contacts/${id}`, { metadata: { at: String(at) } })),
      ...turns.map((at) => sandbox.post("/v1/contacts", { username: "sarah", tags: [`tag-${at}`] })),
      ...turns.map((at) => sandbox.post("/v1/contacts/batch", { contacts: [{ telegram_id: 7, tags: [`batch-${at}`] }] })),
      ...turns.map(() => queue(sandbox, { to: "@sarah" })),
    ]);
    await app.settled();
    expect(await totalOf(sandbox, id)).toBe(60);
    expect((await crossings(sandbox)).map(([threshold, before, after]) => [threshold, after - before])).toEqual(
      [5, 10, 20, 30, 45, 60].map((threshold) => [threshold, 1]),
    );
  });

  test("of several contacts in batches that go crosswise are all counted", async () => {
    await using app = await setup({ engine });
    await makeRule(app.live, 1, { event: "contact.tagged" });
    await app.live.patch("/v1/scoring", { thresholds: [8] });
    const names = Array.from({ length: 6 }, (_, at) => `person_${at}`);
    const ids = await Promise.all(names.map((username) => makeContact(app.live, { username })));
    const batch = (at: number) => (at % 2 === 0 ? names : names.toReversed()).map((username) => ({ username, tags: [`tag-${at}`] }));
    const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => app.live.post("/v1/contacts/batch", { contacts: batch(at) })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await Promise.all(ids.map((id) => totalOf(app.live, id)))).toEqual(ids.map(() => 8));
    expect(await crossings(app.live)).toEqual(ids.map(() => [8, 7, 8]));
  });
});

type Step = { kind: "tag" | "untag" | "name" | "new" | "send" | "read" | "fail"; who: number } | { kind: "days"; who: number };

const steps = fc.array(
  fc.record({ kind: fc.constantFrom("tag", "untag", "name", "new", "send", "read", "fail", "days"), who: fc.nat(2) }) as fc.Arbitrary<Step>,
  { minLength: 5, maxLength: 25 },
);

async function play(app: TestApp, { kind, who }: Step, turn: number): Promise<void> {
  const { sandbox } = app;
  const username = ["sarah", "sandbox_read", "sandbox_blocked"][who]!;
  const tag = `tag-${turn % 3}`;
  if (kind === "days") return app.clock.advance((who + 1) * DAY_MS);
  if (kind === "tag" || kind === "new") await sandbox.post("/v1/contacts", { username, ...(kind === "tag" ? { tags: [tag] } : {}) });
  else if (kind === "untag") await sandbox.post("/v1/contacts", { username, tags: [], tags_mode: "replace" });
  else if (kind === "name") await sandbox.post("/v1/contacts/batch", { contacts: [{ username, name: `Name ${turn}` }] });
  else await queue(sandbox, { to: `@${username}` });
  await app.settled();
}

/** What the log alone says of a contact's points. */
function recompute(events: Event[], rules: ScoreRule[], contact_id: string, now: number) {
  const known = rules.map(({ id, name, points, when, decay_days }): Rule => {
    return { id, name, points, decay_days, condition: when as Rule["condition"] };
  });
  const given = events.flatMap(({ event, subject, created_at, data }) => {
    const details = data as { contact_id?: string; tags_added?: string[]; tags_removed?: string[] };
    if (subject !== contact_id && (!event.startsWith("message.") || details.contact_id !== contact_id)) return [];
    const tags = new Set([...(details.tags_added ?? []), ...(details.tags_removed ?? [])]);
    const met = known.filter(({ condition }) => {
      return "event" in condition && condition.event === event && (condition.tag === undefined || tags.has(condition.tag));
    });
    return met.map((rule) => pointsOf(rule, Date.parse(created_at)));
  });
  return scoreOfPoints(known, given, () => false, now);
}

describe.each(appEngines)("the score on %s", (engine) => {
  test("is what the event log says, whatever has happened", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (some) => {
        await using app = await setup({ engine });
        const { sandbox } = app;
        const rules = [
          await makeRule(sandbox, 5, { event: "contact.created" }, 7),
          await makeRule(sandbox, 3, { event: "contact.updated" }, 3),
          await makeRule(sandbox, 11, { event: "contact.tagged" }),
          await makeRule(sandbox, 4, { event: "contact.tagged", tag: "tag-1" }, 5),
          await makeRule(sandbox, -6, { event: "contact.untagged", tag: "tag-2" }, 11),
          await makeRule(sandbox, 2, { event: "message.sent" }),
          await makeRule(sandbox, 13, { event: "message.read" }, 9),
          await makeRule(sandbox, -8, { event: "message.failed" }, 2),
        ];
        await sandbox.patch("/v1/scoring", { thresholds: [-5, 10, 40] });
        for (const [turn, step] of some.entries()) await play(app, step, turn);
        const events = await eventsOf(sandbox);
        for (const { subject } of events.filter(({ event }) => event === "contact.created")) {
          const score = await scoreOf(sandbox, subject);
          expect(score).toEqual(recompute(events, rules, subject, app.clock.now()));
          const told = events.filter((one) => one.subject === subject && one.event === "lead.scored");
          const data = told.map((one) => one.data as { score: number; previous_score: number; threshold: number });
          expect(data.every((one) => one.previous_score < one.threshold && one.threshold <= one.score)).toBe(true);
        }
      }),
      { numRuns: 8 },
    );
  }, 60_000);
});
