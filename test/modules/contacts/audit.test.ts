import { describe, expect, test } from "bun:test";
import type { AuditEntry } from "#src/modules/audit/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";

const entries = async (caller: Caller, query = "") =>
  (await caller.get<{ items: AuditEntry[] }>(`/v1/audit${query}`)).body.items.filter(({ operation }) =>
    /^(contacts|suppressions)/.test(operation),
  );

describe.each(appEngines)("the audit of people on %s", (engine) => {
  test("tells who made, changed and deleted a contact, and nothing of what changed nothing or came in a batch", async () => {
    await using app = await setup({ engine });
    const { key_id: actor } = (await app.live.get<{ key_id: string }>("/v1/me")).body;
    const { body } = await app.live.post<{ id: string; number: number }>("/v1/contacts", { username: "some_body", name: "One" });
    await app.live.post("/v1/contacts", { username: "some_body", name: "Two" });
    await app.live.post("/v1/contacts", { username: "some_body" });
    await app.live.post("/v1/contacts/batch", { contacts: [{ username: "some_body", name: "Batch" }, { username: "other_body" }] });
    await app.live.patch(`/v1/contacts/${body.number}`, { language: "en" });
    await app.live.patch(`/v1/contacts/${body.id}`, { language: "de" }, { "if-match": '"stale"' });
    await app.live.delete(`/v1/contacts/${body.number}`);
    expect((await entries(app.live)).toReversed()).toMatchObject([
      { actor, operation: "contacts.upsert", subject: body.id, before: null, after: { username: "some_body", name: "One" } },
      { operation: "contacts.upsert", subject: body.id, before: { name: "One", first_name: "One" }, after: { name: "Two" } },
      { operation: "contacts.patch", subject: body.id, before: { language: null }, after: { language: "en" } },
      { operation: "contacts.delete", subject: body.id, before: { name: "Batch", language: "en" }, after: null },
    ]);
  });

  test("shows what a contact was only to a key that may read contacts, and nothing of it once it is erased", async () => {
    await using app = await setup({ engine });
    const { body } = await app.live.post<{ id: string }>("/v1/contacts", { username: "some_body" });
    const warden = await app.makeKey(app.live, { scopes: ["manage:keys"] });
    expect(await entries(warden)).toMatchObject([{ subject: body.id, before: null, after: null }]);
    await app.live.delete(`/v1/contacts/${body.id}?erase=true`);
    await app.settled();
    expect(await entries(app.live, `?subject=${body.id}`)).toMatchObject([
      { operation: "contacts.delete", before: {}, after: null },
      { operation: "contacts.upsert", before: null, after: {} },
    ]);
    expect(JSON.stringify(await entries(app.live))).not.toContain("some_body");
  });

  test("tells who noted and lifted a suppression, and not whom it is of", async () => {
    await using app = await setup({ engine });
    const { body } = await app.live.post<{ id: string }>("/v1/suppressions", { to: "@some_body", reason: "opt_out", note: "by phone" });
    await app.live.post("/v1/suppressions", { to: "@some_body", reason: "opt_out" });
    await app.live.delete(`/v1/suppressions/${body.id}`);
    const told = await entries(app.live);
    expect(told).toMatchObject([
      { operation: "suppressions.delete", subject: body.id, before: { reason: "opt_out" }, after: null },
      { operation: "suppressions.create", subject: body.id, before: null, after: { channel: "*", reason: "opt_out" } },
    ]);
    expect(JSON.stringify(told)).not.toContain("some_body");
  });
});
