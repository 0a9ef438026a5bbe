import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Page } from "#src/core/page.ts";
import { type Contact, mergeMembers } from "#src/modules/contacts/model.ts";
import type { MergeAnswer } from "#src/modules/merges/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { queue } from "#test/support/sending.ts";

const RUNS = 40;

const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const tags = fc.subarray(["vip", "trial", "webinar", "lost"]);
const fieldValues = {
  plan: optional(fc.constantFrom("starter", "pro")),
  seats: optional(fc.integer({ min: 1, max: 3 })),
  topics: optional(fc.subarray(["x", "y", "z"], { minLength: 1 })),
};
const metadata = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"));
const members = {
  name: optional(fc.constantFrom("Sarah Miller", "sarah miller", "José", "Ann Lee")),
  language: optional(fc.constantFrom("en", "de")),
  timezone: optional(fc.constantFrom("Europe/London", "Asia/Tokyo")),
  consent: optional(
    fc.record({ status: fc.constantFrom("granted", "withdrawn"), at: fc.constantFrom("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z") }),
  ),
  metadata: optional(metadata),
};
const person = fc.record({
  ...members,
  tags,
  fields: fc.record(fieldValues),
  has: fc.subarray(["external_id", "telegram_id", "username", "email", "phone"]),
  messages: fc.integer({ min: 0, max: 3 }),
});
type Person = typeof person extends fc.Arbitrary<infer T> ? T : never;
const change = fc.record({ ...members, tags: optional(tags), fields: fc.record(fieldValues) });

let people = 0;

/** A contact with identities that nobody else has. */
async function make({ sandbox }: TestApp, { has, messages, ...ask }: Person): Promise<Contact> {
  const number = 100_000 + people++;
  const all: Record<string, unknown> = {
    ...{ external_id: `x-${number}`, telegram_id: number, username: `user_${number}`, email: `e${number}@mail.example` },
    phone: `+44770090${String(number).slice(-4)}`,
  };
  const own = Object.fromEntries(has.map((name) => [name, all[name]]));
  const { body, status, text } = await sandbox.post<Contact>("/v1/contacts", { ...ask, ...own });
  if (status !== 201) throw new Error(`the contact was refused: ${text}`);
  if (has.includes("username")) for (let at = 0; at < messages; at++) await queue(sandbox, { to: body.id });
  return get({ sandbox }, body.id);
}

const get = async ({ sandbox }: Pick<TestApp, "sandbox">, id: string) => (await sandbox.get<Contact>(`/v1/contacts/${id}`)).body;

/** All that is kept of contacts but for when a row was changed, and what each search finds. */
async function stateOf({ db, sandbox }: TestApp): Promise<unknown> {
  const rows = async (table: "contacts" | "contact_tags" | "contact_values" | "tallies") =>
    (await db.read.selectFrom(table).selectAll().where("env_id", "=", sandbox.env_id).execute())
      .map((row) => JSON.stringify({ ...row, updated_at: 0 }))
      .toSorted();
  const messages = await db.read.selectFrom("messages").select(["id", "contact_id"]).orderBy("id").execute();
  const words = ["sarah", "miller", "jose", "ann", "user", "mail", "44770"];
  const found = await Promise.all(
    words.map(async (word) => (await sandbox.get<Page<Contact>>(`/v1/contacts?search=${word}&limit=200`)).body.items.map(({ id }) => id)),
  );
  return [await rows("contacts"), await rows("contact_tags"), await rows("contact_values"), await rows("tallies"), messages, found];
}

async function mergeAndBack(app: TestApp, [one, two]: readonly [Person, Person], prefer: string[], between: (id: string) => Promise<void>) {
  const [stays, goes] = [await make(app, one), await make(app, two)];
  const before = await stateOf(app);
  const merged = await app.sandbox.post<MergeAnswer>(`/v1/contacts/${stays.id}/merge`, { contact_id: goes.id, prefer });
  expect(merged.status).toBe(200);
  await between(stays.id);
  const changed = await get(app, stays.id);
  const undone = await app.sandbox.post<{ contact: Contact; merged: Contact }>(`/v1/merges/${merged.body.id}/undo`);
  expect(undone.status).toBe(200);
  expect(await get(app, goes.id)).toEqual({ ...goes, updated_at: undone.body.merged.updated_at });
  return { before, stays, made: merged.body.contact, changed, restored: await get(app, stays.id) };
}

async function furnish(app: TestApp): Promise<void> {
  const fields = [
    { key: "plan", type: "choice", options: ["starter", "pro"] },
    { key: "seats", type: "number" },
    { key: "topics", type: "multi_choice", options: ["x", "y", "z"] },
  ];
  for (const field of fields) expect((await app.sandbox.post("/v1/fields", field)).status).toBe(201);
}

describe.each(appEngines)("merging and undoing it on %s", (engine) => {
  test("leaves everything as it was, for any two contacts", async () => {
    await using app = await setup({ engine });
    await furnish(app);
    const law = fc.asyncProperty(fc.tuple(person, person), fc.subarray([...mergeMembers]), async (pair, prefer) => {
      const { before, stays, restored } = await mergeAndBack(app, pair, prefer, async () => {});
      expect({ ...restored, updated_at: stays.updated_at }).toEqual(stays);
      expect(await stateOf(app)).toEqual(before);
    });
    await fc.assert(law, { numRuns: RUNS });
  }, 120_000);

  test("lets stay what was changed since, member by member", async () => {
    await using app = await setup({ engine });
    await furnish(app);
    const law = fc.asyncProperty(fc.tuple(person, person), fc.subarray([...mergeMembers]), change, async (pair, prefer, ask) => {
      const { stays, made, changed, restored } = await mergeAndBack(app, pair, prefer, async (id) => {
        const { status } = await app.sandbox.patch(`/v1/contacts/${id}`, ask);
        expect(status).toBe(200);
      });
      expect(restored).toEqual({ ...expected(stays, made, changed), updated_at: restored.updated_at });
      const found = (await app.sandbox.get<Page<Contact>>("/v1/contacts?tag=vip&limit=200")).body.items.map(({ id }) => id);
      expect(found.includes(stays.id)).toBe(restored.tags.includes("vip"));
    });
    await fc.assert(law, { numRuns: RUNS });
  }, 120_000);
});

type Members = Record<string, unknown>;

/** What was made by the merge and still is goes back; what was changed since stays. */
function expected(before: Contact, made: Contact, changed: Contact): Contact {
  const apart = (was: Members, is: Members, now: Members): Members =>
    Object.fromEntries(
      [...new Set([...Object.keys(was), ...Object.keys(is), ...Object.keys(now)])]
        .map((name) => [name, Bun.deepEquals(is[name], now[name]) ? was[name] : now[name]])
        .filter(([, value]) => value !== undefined),
    );
  const { name: _n, first_name: _f, last_name: _l, ...rest } = before;
  const isNamed = made.name !== changed.name || made.first_name !== changed.first_name;
  const { name, first_name, last_name } = isNamed ? changed : before;
  const given = new Set(made.tags).difference(new Set(before.tags));
  return {
    ...(apart(rest, made, changed) as Contact),
    ...{ name, first_name, last_name },
    tags: changed.tags.filter((tag) => !given.has(tag)),
    fields: apart(before.fields, made.fields, changed.fields) as Contact["fields"],
    metadata: apart(before.metadata, made.metadata, changed.metadata) as Contact["metadata"],
  };
}
