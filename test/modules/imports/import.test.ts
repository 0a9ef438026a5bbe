import { describe, expect, test } from "bun:test";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { Page } from "#src/core/page.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { runImport, sendImport } from "#test/support/importing.ts";

const all = async (caller: Caller) => (await caller.get<Page<Contact>>("/v1/contacts?sort=created_at&limit=200")).body.items;

describe.each(appEngines)("an import on %s", (engine) => {
  test("takes a CSV in, and ends in one event", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/fields", { key: "plan", type: "text" });
    const file = "external_id,Name,E-Mail,tags,plan\r\nu1,Sarah Miller,sarah@example.com,a;b,pro\r\nu2,Tom,,,\r\n";
    const task = await runImport(app, app.live, file);
    expect(task).toMatchObject({
      status: "done",
      progress: { done: 2, total: 2 },
      result: { created: 2, updated: 0, skipped: 0, failed: 0 },
    });
    expect(await all(app.live)).toMatchObject([
      { number: 1, external_id: "u1", name: "Sarah Miller", first_name: "Sarah", email: "sarah@example.com", tags: ["a", "b"], fields: { plan: "pro" } },
      { number: 2, external_id: "u2", name: "Tom", email: null, tags: [], fields: {} },
    ]);
    const events = (await app.live.get<Page<{ event: string }>>("/v1/events?limit=100")).body.items.map(({ event }) => event);
    expect(events).toEqual(["job.completed"]);
    expect((await app.live.get<Page<Contact>>("/v1/contacts?search=sarah&tag=a")).body.total).toBe(1);
    expect((await app.live.get<Page<Contact>>("/v1/contacts?field=plan:pro")).body.total).toBe(1);
  });

  test("refuses a column that is nothing before anything is written", async () => {
    await using app = await setup({ engine });
    const { status, body } = await sendImport(app, app.live, "external_id,emial\nu1,x@y.example\n", "mode=upsert");
    expect([status, body.code, body.message]).toMatchObject([422, "validation_error", expect.stringContaining("Is it email?")]);
  });
});
