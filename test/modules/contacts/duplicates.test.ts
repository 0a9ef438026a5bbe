import { describe, expect, test } from "bun:test";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { DuplicatePage } from "#src/modules/duplicates/model.ts";
import { mailboxOf } from "#src/modules/duplicates/reasons.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { addManyContacts } from "#test/support/many-contacts.ts";

const make = async (caller: Caller, ask: object) => (await caller.post<Contact>("/v1/contacts", ask)).body.id;
const page = async (caller: Caller, query = "") => (await caller.get<DuplicatePage>(`/v1/contacts/duplicates${query}`)).body;

test("addresses that deliver to one mailbox are one", () => {
  expect(["a.b+news@gmail.com", "ab@googlemail.com", "AB@gmail.com".toLowerCase()].map(mailboxOf)).toEqual(Array(3).fill("ab@gmail.com"));
  expect(["a.b+news@example.com", "ab@example.com", "+x@example.com"].map(mailboxOf)).toEqual([
    "a.b@example.com",
    "ab@example.com",
    "+x@example.com",
  ]);
});

describe.each(appEngines)("duplicates on %s", (engine) => {
  test("are those of one name, with what else speaks for one person", async () => {
    await using app = await setup({ engine });
    const { live } = app;
    const jose = [
      await make(live, { name: "José Ruiz", email: "jose@ruiz.example" }),
      await make(live, { name: "jose  RUIZ", username: "jose" }),
    ];
    const anna = [
      await make(live, { name: "Anna", email: "an.na@gmail.com" }),
      await make(live, { name: "anna", email: "anna+x@gmail.com" }),
    ];
    await make(live, { name: "Unique" });
    await make(live, { email: "nameless@one.example" });
    await make(live, { email: "nameless@two.example" });
    const deleted = await make(live, { name: "Unique" });
    await live.delete(`/v1/contacts/${deleted}`);
    await make(app.sandbox, { name: "Unique" });
    const { items, has_more, next_cursor } = await page(live);
    expect(items.map(({ contacts, ...rest }) => ({ ...rest, ids: contacts.map(({ id }) => id) }))).toEqual([
      { name: "anna", reasons: ["same_name", "same_mailbox"], total: 2, total_capped: false, ids: anna },
      { name: "jose ruiz", reasons: ["same_name", "username_in_email"], total: 2, total_capped: false, ids: jose },
    ]);
    expect([has_more, next_cursor]).toEqual([false, null]);
    await live.post(`/v1/contacts/${anna[0]}/merge`, { contact_id: anna[1] });
    expect((await page(live)).items.map(({ name }) => name)).toEqual(["jose ruiz"]);
  });

  test("come page by page, each group once", async () => {
    await using app = await setup({ engine });
    const names = Array.from({ length: 7 }, (_, at) => `Пара ${"語".repeat(90)} ${at}`);
    for (const name of [...names, ...names, "alone", "zz alone"]) await make(app.live, { name });
    for (const limit of [1, 2, 3, 7]) {
      const seen: string[] = [];
      for (let cursor: string | null = ""; cursor !== null;) {
        const { items, next_cursor } = await page(app.live, `?limit=${limit}${cursor === "" ? "" : `&cursor=${cursor}`}`);
        seen.push(...items.map(({ contacts }) => contacts[0]!.name!));
        cursor = next_cursor;
      }
      expect(seen).toEqual(names);
    }
    expect((await app.live.get("/v1/contacts/duplicates?cursor=abc")).status).toBe(422);
    const foreign = (await page(app.live, "?limit=1")).next_cursor;
    expect((await app.sandbox.get(`/v1/contacts/duplicates?cursor=${foreign}`)).status).toBe(422);
  });

  test("are ten of a name that very many have, and their count up to a limit", async () => {
    await using app = await setup({ engine });
    await addManyContacts(app, app.live.env_id, 110_000, 1);
    const first = await page(app.live);
    expect(first.items).toMatchObject([{ name: "person", total: 10_000, total_capped: true }]);
    expect(first.items[0]!.contacts).toHaveLength(10);
    expect((await page(app.live, `?cursor=${first.next_cursor}`)).items).toEqual([]);
  }, 60_000);
});
