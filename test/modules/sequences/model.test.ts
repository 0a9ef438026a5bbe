import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Database } from "#db/database.ts";
import { AppError } from "#src/core/errors.ts";
import { weekdays } from "#src/core/local-time.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { makeContact } from "#test/support/scoring.ts";
import { foresee, isOpen, type ModelSend, type ModelSequence, type ModelStep } from "#test/support/sequence-model.ts";
import { journey, makeSequence } from "#test/support/sequences.ts";

const DAY = 86_400_000;
const zones = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"];

const hours = fc.integer({ min: 0, max: 95 }).map((n) => `${String(n >> 2).padStart(2, "0")}:${String((n & 3) * 15).padStart(2, "0")}`);
// Around the hours in which clocks are changed too.
const time = fc.oneof(hours, fc.constantFrom("00:00", "01:45", "02:00", "02:15", "02:30", "03:00", "09:00"));
const days = fc.option(fc.subarray([...weekdays], { minLength: 1 }), { nil: undefined });
const duration = fc.oneof(
  fc.integer({ min: 1, max: 14 }).map((n) => `${n}d`),
  fc.constantFrom("1w", "2w", "36h", "1h", "90m", "45s"),
);
const onDays = fc.record({ time, days }).map(({ time, days }) => ({ time, ...(days === undefined ? {} : { weekdays: days }) }));
const window = fc
  .record({ from: time, to: time, days })
  .filter(({ from, to }) => from !== to)
  .map(({ days, ...hours }) => ({ ...hours, ...(days === undefined ? {} : { weekdays: days }) }));

/** A step as if it stood alone; where it leads is a place ahead, as a share of the way. */
const draft = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: "send" as const }) },
  { weight: 3, arbitrary: duration.map((duration) => ({ kind: "for" as const, duration })) },
  { weight: 2, arbitrary: onDays.map((until) => ({ kind: "until" as const, until })) },
  {
    weight: 1,
    arbitrary: fc.record({ days: fc.integer({ min: 1, max: 60 }), time }).map((date) => ({ kind: "date" as const, ...date })),
  },
  { weight: 1, arbitrary: fc.record({ duration, ahead: fc.nat() }).map((event) => ({ kind: "event" as const, ...event })) },
  { weight: 1, arbitrary: fc.record({ ahead: fc.nat() }).map(({ ahead }) => ({ kind: "branch" as const, ahead })) },
  { weight: 1, arbitrary: fc.record({ weight: fc.integer({ min: 1, max: 9 }) }).map(({ weight }) => ({ kind: "split" as const, weight })) },
);
type Draft = typeof draft extends fc.Arbitrary<infer T> ? T : never;

function stepsOf(drafts: readonly Draft[], sequence: number): ModelStep[] {
  const idAt = (at: number) => (at < drafts.length ? `s${at}` : null);
  return drafts.flatMap((one, at): ModelStep[] => {
    const id = `s${at}`;
    const ahead = (steps: number) => idAt(at + 1 + (steps % (drafts.length - at)));
    switch (one.kind) {
      case "send":
        return [{ id, type: "send", text: `${sequence}: ${id}` }];
      case "for":
        return [{ id, type: "wait", for: one.duration }];
      case "until":
        return [{ id, type: "wait", until: one.until }];
      case "date":
        return [{ id, type: "wait", until_field: { field: "created_at", offset: `${one.days}d`, time: one.time } }];
      case "event":
        return [
          { id, type: "wait", for_event: { event: "message.received" }, timeout: minute(one.duration), on_timeout: ahead(one.ahead) },
        ];
      case "branch":
        return [{ id, type: "branch", if: { filter: { tag: "left" } }, then: idAt(at + 1), else: ahead(one.ahead) }];
      case "split": {
        const [left, right] = [`${id}_left`, `${id}_right`];
        const parts = [left, right].map((next, part) => ({ weight: part === 0 ? one.weight : 10 - one.weight, next }));
        return [
          { id, type: "split", parts },
          // Who goes left comes through the right part, too.
          { id: left, type: "tag", tag: `${sequence} ${id} left` },
          { id: `${id}_on`, type: "tag", tag: "left" },
          { id: right, type: "tag", tag: `${sequence} ${id} right` },
        ];
      }
      default:
        return one satisfies never;
    }
  });
}

const minute = (duration: string) => (duration === "45s" ? "1m" : duration);

const journeys = fc.record({
  ahead_days: fc.integer({ min: 0, max: 200 }),
  sequences: fc.array(
    fc.record({
      drafts: fc.array(draft, { minLength: 2, maxLength: 9 }),
      timezone: fc.option(fc.constantFrom(...zones)),
      window: fc.option(window),
      holidays: fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 8 }),
      frequency_cap: fc.option(fc.record({ count: fc.integer({ min: 1, max: 3 }), per: fc.constantFrom("1d", "2d", "6h", "1w") })),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  contacts: fc.array(fc.option(fc.constantFrom(...zones)), { minLength: 1, maxLength: 3 }),
  crashes: fc.array(fc.record({ after: fc.integer({ min: 1, max: 15 }), how: fc.constantFrom("before", "within", "behind") }), {
    maxLength: 4,
  }),
});

/** A database that goes away in the middle of a write, as when the program is killed; for that program it stays away. */
function mortal() {
  const died = Promise.withResolvers<void>();
  const state = { left: Infinity, how: "before", isDead: false };
  const die = (): never => {
    state.isDead = true;
    died.resolve();
    throw new AppError("unavailable", "The program was killed.");
  };
  return {
    state,
    died: died.promise,
    /** @param left writes until then */
    arm: (left: number, how: string) => Object.assign(state, { left, how }),
    wrap: (db: Database): Database => ({
      ...db,
      async write(work) {
        if (state.isDead) die();
        if (--state.left > 0) return db.write(work);
        if (state.how === "before") die();
        if (state.how === "behind") {
          await db.write(work);
          return die();
        }
        return db.write(async (tx) => {
          await work(tx);
          return die();
        });
      },
    }),
    /** So that what is left of the program can be stopped. */
    bury: () => Object.assign(state, { left: Infinity, isDead: false }),
  };
}

const DAYS = 75;

const asAsked = (step: ModelStep) => (step.type === "send" ? { ...step, account_id: 7421 } : step);

async function sentBy(app: TestApp, contacts: readonly string[]): Promise<ModelSend[]> {
  const rows = await app.db.read
    .selectFrom("messages")
    .select(["contact_id", "text", "created_at"])
    .where("direction", "=", "out")
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  return rows.map(({ contact_id, text, created_at }) => ({ contact: contacts.indexOf(contact_id!), text, at: created_at }));
}

describe.each(appEngines)("sequences beside a model of them on %s", (engine) => {
  test("the same is sent, in the same order, at the same times, once, whatever the program dies of", async () => {
    await fc.assert(
      fc.asyncProperty(journeys, async ({ ahead_days, sequences: drafts, contacts: zonesOf, crashes: all }) => {
        // On PostgreSQL a lane that its program lost and has again is more than a program that was killed can be played with.
        const crashes = engine === "sqlite" ? all : [];
        let raw: Database | undefined;
        let life = mortal();
        const lives = [life];
        await using apps = new AsyncDisposableStack();
        let app = apps.use(await setup({ engine, wrapDatabase: (db) => life.wrap((raw = db)) }));
        await app.leap(ahead_days * DAY);
        const begin = app.clock.now();
        const dayAt = (day: number) => new Date(begin + day * DAY).toISOString().slice(0, 10);
        const sequences = drafts.map(({ drafts, holidays, ...around }, at): ModelSequence => ({
          ...around,
          steps: stepsOf(drafts, at),
          holidays: holidays.map(dayAt),
        }));
        const ids: string[] = [];
        for (const sequence of sequences) ids.push(await makeSequence(app.sandbox, { ...sequence, steps: sequence.steps.map(asAsked) }));
        const contacts: string[] = [];
        for (const [at, timezone] of zonesOf.entries())
          contacts.push(await makeContact(app.sandbox, { username: `person_${at}`, ...(timezone === null ? {} : { timezone }) }));
        const entries = contacts.flatMap((_, contact) => ids.map((_, sequence) => ({ contact, sequence, at: begin })));
        // All of them at once, before the engine looks.
        const { enrollments } = app.services.sequencing;
        const author = { env_id: app.sandbox.env_id, key_id: "key" };
        await app.db.write(async (tx) => {
          for (const { contact, sequence } of entries)
            await enrollments.enroll(tx, author, ids[sequence]!, { contact_id: contacts[contact]! });
        });

        for (const { after, how } of crashes) {
          const { state, arm, died } = life;
          arm(after, how);
          await Promise.race([journey(app, (DAYS / (crashes.length + 1)) * DAY, () => state.isDead), died]);
          if (!state.isDead) continue;
          lives.push((life = mortal()));
          app = apps.use(await setup({ engine, after: app, wrapDatabase: () => life.wrap(raw!) }));
        }
        life.bury();
        const until = begin + DAYS * DAY;
        await journey(app, until - app.clock.now());
        const sent = await sentBy(app, contacts);
        for (const one of lives) one.bury();

        const tagsOf: string[][] = [];
        for (const id of contacts) tagsOf.push((await app.sandbox.get<{ tags: string[] }>(`/v1/contacts/${id}`)).body.tags);
        const chosen = (sequence: number, split: string, contact: number) =>
          tagsOf[contact]!.includes(`${sequence} ${split} left`) ? `${split}_left` : `${split}_right`;
        const known = zonesOf.map((timezone) => ({ timezone, created_at: begin }));
        const foreseen = foresee(sequences, known, entries, until, chosen);
        expect(sent).toEqual(foreseen);
        for (const { contact, text, at } of sent) {
          const { timezone, window, holidays } = sequences[Number(text[0])]!;
          expect(isOpen(at, zonesOf[contact] ?? timezone ?? "UTC", window, holidays)).toBe(true);
        }
      }),
      { numRuns: engine === "sqlite" ? 12 : 5 },
    );
  }, 300_000);
});
