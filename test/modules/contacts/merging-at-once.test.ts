import { describe, expect, test } from "bun:test";
import type { Contact } from "#src/modules/contacts/model.ts";
import { moveJob } from "#src/modules/merges/job.ts";
import type { MergeAnswer } from "#src/modules/merges/model.ts";
import { createMergeStore } from "#src/modules/merges/store.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { queue } from "#test/support/sending.ts";

const make = async (caller: Caller, ask: object) => (await caller.post<Contact>("/v1/contacts", ask)).body;
const get = async (caller: Caller, id: string) => (await caller.get<Contact>(`/v1/contacts/${id}`)).body;
const merge = (caller: Caller, id: string, contact_id: string) => caller.post<MergeAnswer>(`/v1/contacts/${id}/merge`, { contact_id });
const undo = (caller: Caller, id: string) => caller.post(`/v1/merges/${id}/undo`);
const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status).toSorted();

/** How many messages each contact has. */
async function counts({ db }: TestApp): Promise<Record<string, number>> {
  const rows = await db.read
    .selectFrom("messages")
    .select(({ fn }) => ["contact_id", fn.countAll<number>().as("total")])
    .groupBy("contact_id")
    .execute();
  return Object.fromEntries(rows.map(({ contact_id, total }) => [String(contact_id), total]));
}

/** Contacts with as many messages each, none of which leaves. */
async function settle(app: TestApp, names: readonly string[], messages: number): Promise<string[]> {
  const ids = [];
  for (const username of names) {
    const { id } = await make(app.sandbox, { username });
    ids.push(id);
    const sends = Array.from({ length: messages }, () => queue(app.sandbox, { to: id, schedule_at: "2999-01-01T00:00:00Z" }));
    await Promise.all(sends);
  }
  return ids;
}

describe.each(appEngines)("many at once on %s", (engine) => {
  test("merge one contact into another once", async () => {
    await using app = await setup({ engine });
    const [a, b] = (await settle(app, ["aaa", "bbb"], 0)) as [string, string];
    const answers = await Promise.all(Array.from({ length: 20 }, () => merge(app.sandbox, a, b)));
    expect(statuses(answers)).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
    const { id } = answers.find(({ status }) => status === 200)!.body;
    expect(statuses(await Promise.all(Array.from({ length: 20 }, () => undo(app.sandbox, id))))).toEqual([
      200,
      ...Array.from({ length: 19 }, () => 409),
    ]);
    expect((await get(app.sandbox, b)).id).toBe(b);
  });

  test("merge in a ring, and leave one contact that all ids mean, or several that each mean themselves", async () => {
    await using app = await setup({ engine });
    for (let round = 0; round < 5; round++) {
      const [a, b, c] = (await settle(app, [`aaa${round}`, `bbb${round}`, `ccc${round}`], 0)) as [string, string, string];
      const answers = await Promise.all([merge(app.sandbox, a, b), merge(app.sandbox, b, c), merge(app.sandbox, c, a)]);
      const done = answers.filter(({ status }) => status === 200).length;
      for (const { status } of answers) expect([200, 409, 422]).toContain(status);
      expect(done).toBeGreaterThan(0);
      const meant = await Promise.all([a, b, c].map(async (id) => (await get(app.sandbox, id)).id));
      expect(new Set(meant).size).toBe(3 - done);
      const { total } = (await app.sandbox.get<{ total: number }>("/v1/contacts")).body;
      const { rows } = { rows: await app.db.read.selectFrom("contacts").select("id").where("deleted_at", "is", null).execute() };
      expect(total).toBe(rows.length);
    }
  });

  test("write to, change and send to a contact that is being merged, and nothing of it is lost", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const { id: a } = await make(sandbox, { email: "a@a.example" });
    const [b] = (await settle(app, ["bbb"], 10)) as [string];
    const names = Array.from({ length: 10 }, (_, at) => `tag-${at}`);
    const upserts = names.map((tag) => sandbox.post("/v1/contacts", { username: "bbb", tags: [`upserted-${tag}`] }));
    const patches = names.map((tag) => sandbox.patch(`/v1/contacts/${b}`, { tags: [`patched-${tag}`], tags_mode: "add" }));
    const sends = names.map(() => queue(sandbox, { to: "@bbb", schedule_at: "2999-01-01T00:00:00Z" }));
    const [merged, ...others] = await Promise.all([merge(sandbox, a, b), ...upserts, ...patches]);
    await Promise.all(sends);
    expect([merged.status, ...statuses(others)]).toEqual([200, ...others.map(() => 200)]);
    await app.settled();
    await app.leap(60_000);
    expect(await counts(app)).toEqual({ [a]: 20 });
    const all = names.flatMap((tag) => [`upserted-${tag}`, `patched-${tag}`]).toSorted();
    expect((await sandbox.get<{ items: Contact[] }>("/v1/contacts")).body.items).toMatchObject([{ id: a, username: "bbb" }]);
    expect((await get(sandbox, b)).tags.toSorted()).toEqual(all);
    const rows = await app.db.read.selectFrom("contact_tags").innerJoin("contacts", "row", "contact_row").select(["id", "tag"]).execute();
    expect(rows.map(({ id, tag }) => [id, tag]).toSorted()).toEqual(all.map((tag) => [a, tag]));
  });

  test("begin the moving of messages from any state, again and at the same time", async () => {
    await using app = await setup({ engine });
    const { sandbox, db } = app;
    const [a, b] = (await settle(app, ["aaa", "bbb"], 120)) as [string, string];
    await app.services.loop.stop();
    const { id } = (await merge(sandbox, a, b)).body;
    expect(await counts(app)).toEqual({ [a]: 170, [b]: 70 });
    const store = createMergeStore(db);
    // It breaks off after one transaction, as a program does that is killed.
    const broken = moveJob({ store, write: once(db.write) });
    const move = { env_id: sandbox.env_id, merge_id: id };
    await broken.run(move, new AbortController().signal).catch(() => {});
    expect(await counts(app)).toEqual({ [a]: 220, [b]: 20 });
    expect((await merge(sandbox, (await make(sandbox, { name: "C" })).id, a)).status).toBe(409);
    const job = moveJob({ store, write: db.write });
    const run = () => job.run(move, new AbortController().signal);
    await Promise.all([run(), run(), run()]);
    expect(await counts(app)).toEqual({ [a]: 240 });
    await undo(sandbox, id);
    expect(await counts(app)).toEqual({ [a]: 190, [b]: 50 });
    await moveJob({ store, write: once(db.write) })
      .run(move, new AbortController().signal)
      .catch(() => {});
    expect((await merge(sandbox, a, b)).status).toBe(409);
    await app.services.loop.start();
    await app.settled();
    await app.leap(60_000);
    expect(await counts(app)).toEqual({ [a]: 120, [b]: 120 });
    expect(await db.read.selectFrom("merge_messages").selectAll().execute()).toEqual([]);
    expect((await merge(sandbox, a, b)).status).toBe(200);
  });

  test("take what came late as far as the others went", async () => {
    await using app = await setup({ engine });
    const [a, b, c] = (await settle(app, ["aaa", "bbb", "ccc"], 1)) as [string, string, string];
    await merge(app.sandbox, b, c);
    await merge(app.sandbox, a, b);
    await app.db.write(async (tx) => {
      await app.db.in(tx).updateTable("messages").set({ contact_id: c }).where("recipient", "=", "@ccc").execute();
      await app.db.in(tx).deleteFrom("merge_messages").execute();
    });
    expect(await counts(app)).toEqual({ [a]: 2, [c]: 1 });
    await app.leap(60_000);
    expect(await counts(app)).toEqual({ [a]: 3 });
  });
});

/** A database that is gone after one write. */
function once(write: TestApp["db"]["write"]): TestApp["db"]["write"] {
  let writes = 0;
  return (work) => (writes++ === 0 ? write(work) : Promise.reject(new Error("the program was killed")));
}
