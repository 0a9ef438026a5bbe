import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { runImport } from "#test/support/importing.ts";

interface Undone {
  id: string;
  kind: string;
  status: string;
  result: { removed: number; restored: number; kept: number };
}

const all = async (caller: Caller) => (await caller.get<Page<Contact>>("/v1/contacts?sort=created_at&limit=200")).body.items;
const timeless = (people: Contact[]) => people.map(({ updated_at: _updated, ...rest }) => rest);

async function undo(app: TestApp, id: string): Promise<Undone> {
  const { status, body, text } = await app.live.post<Undone>(`/v1/imports/${id}/undo`);
  if (status !== 202) throw new Error(text);
  await app.settled();
  return (await app.live.get<Undone>(`/v1/jobs/${body.id}`)).body;
}

describe.each(appEngines)("an import that is undone on %s", (engine) => {
  test("leaves everything as it was", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/fields", { key: "plan", type: "text" });
    const person = {
      external_id: "u1",
      email: "old@example.com",
      name: "Old Name",
      tags: ["a"],
      fields: { plan: "pro" },
      metadata: { x: "1" },
    };
    await app.live.post("/v1/contacts", person);
    const before = await all(app.live);
    app.clock.advance(1_000);
    const rows = Array.from({ length: 120 }, (_, at) => `n${at},,Name ${at},t,,free`);
    const file = [
      "external_id,email,name,tags,metadata,plan",
      'u1,new@example.com,New,b,"{""y"":""2""}",max',
      ...rows,
      "u1,,Newer,c,,",
      "n5,five@example.com,,,,",
    ];
    const task = await runImport(app, app.live, file.join("\n"));
    expect(task.result).toMatchObject({ created: 120, updated: 3, failed: 0 });
    app.clock.advance(1_000);
    const undone = await undo(app, task.id);
    expect(undone).toMatchObject({ kind: "contacts.import_undo", status: "done", result: { removed: 120, kept: 0 } });
    expect(undone.result.restored).toBeGreaterThan(0);
    expect(timeless(await all(app.live))).toEqual(timeless(before));
    for (const [filter, total] of [
      ["tag=t", 0],
      ["tag=a", 1],
      ["tag=b", 0],
      ["search=old", 1],
      ["search=new", 0],
      ["field=plan:pro", 1],
      ["field=plan:free", 0],
      ["", 1],
    ])
      expect([filter, (await app.live.get<Page<Contact>>(`/v1/contacts?${filter}`)).body.total]).toEqual([filter, total]);
  });

  test("leaves what somebody has changed since", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { external_id: "u1", name: "Old", email: "old@example.com", tags: ["a"], language: "en" });
    await app.live.post("/v1/contacts", { external_id: "u2", email: "two@example.com" });
    app.clock.advance(1_000);
    const file = "external_id,name,email,tags,language\nu1,New,new@example.com,b;c,de\nu2,,moved@example.com,,\nn1,Made,,,\nn2,Made,,,\n";
    const task = await runImport(app, app.live, file);
    app.clock.advance(1_000);
    const people = await all(app.live);
    const byKey = (key: string) => people.find(({ external_id }) => external_id === key)!;
    await app.live.patch(`/v1/contacts/${byKey("u1").id}`, { name: "Mine", tags: ["a", "c", "d"] });
    await app.live.patch(`/v1/contacts/${byKey("n1").id}`, { name: "Kept" });
    // Somebody else has the address by now that the other would get back.
    await app.live.post("/v1/contacts", { external_id: "u3", email: "two@example.com" });
    const undone = await undo(app, task.id);
    expect(undone.result).toEqual({ removed: 1, restored: 0, kept: 3 });
    expect(await all(app.live)).toMatchObject([
      { external_id: "u1", name: "Mine", email: "old@example.com", tags: ["a", "d"], language: "en" },
      { external_id: "u2", email: "moved@example.com" },
      { external_id: "n1", name: "Kept" },
      { external_id: "u3", email: "two@example.com" },
    ]);
  });

  test("is undone once, within 30 days, and only when it has ended", async () => {
    await using app = await setup({ engine });
    const task = await runImport(app, app.live, "external_id\nu1\n");
    const late = await runImport(app, app.live, "external_id\nu2\n");
    await undo(app, task.id);
    const again = await app.live.post<{ code: string; message: string }>(`/v1/imports/${task.id}/undo`);
    expect([again.status, again.body.message]).toMatchObject([409, expect.stringContaining("undone already")]);
    expect((await app.live.post(`/v1/imports/job_00000000000000000000000000/undo`)).status).toBe(404);
    expect((await app.sandbox.post(`/v1/imports/${late.id}/undo`)).status).toBe(404);
    await app.leap(30 * 24 * 3_600_000 + 1);
    const { status, body } = await app.live.post<{ message: string }>(`/v1/imports/${late.id}/undo`);
    expect([status, body.message]).toMatchObject([409, expect.stringContaining("30 days")]);
  });

  test("forgets whom an erasure has removed", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { external_id: "u1", name: "Sarah" });
    const task = await runImport(app, app.live, "external_id,name\nu1,Changed\n");
    const [person] = await all(app.live);
    await app.live.delete(`/v1/contacts/${person!.id}?erase=true`);
    await app.settled();
    expect(await app.db.read.selectFrom("import_changes").selectAll().execute()).toEqual([]);
    expect((await undo(app, task.id)).status).toBe("done");
  });
});
