import { describe, expect, test } from "bun:test";
import { appEngines, setup, type Tenant } from "#test/support/app.ts";

interface Page {
  items: { name: string | null; number: number }[];
  total: number;
  next_cursor: string | null;
}

const names = async (tenant: Tenant, query: string) => (await tenant.get<Page>(`/v1/contacts?${query}`)).body.items.map(({ name }) => name);
const search = (tenant: Tenant, text: string) => names(tenant, `search=${encodeURIComponent(text)}`);

describe.each(appEngines)("a list of contacts on %s", (engine) => {
  test("finds people by words and beginnings of words, without case and accents", async () => {
    await using app = await setup({ engine });
    const people = [
      { name: "Фёдор Ёлкин", username: "fedor_yolkin" },
      { name: "José Álvarez", email: "jose.alvarez@example.com" },
      { name: "أحمد مُحَمَّد" },
      { name: "王小明", phone: "+8613812345678" },
      { name: "Zoe\u0308 🦊 Fox" },
      { name: "John Smith", username: "johnny" },
    ];
    for (const [at, person] of people.entries()) await app.live.post("/v1/contacts", { external_id: `p${at}`, ...person });
    for (const [text, found] of [
      ["федор", ["Фёдор Ёлкин"]],
      ["ЕЛК", ["Фёдор Ёлкин"]],
      ["jose alv", ["José Álvarez"]],
      ["محمد", ["أحمد مُحَمَّد"]],
      ["احمد", ["أحمد مُحَمَّد"]],
      ["小明", ["王小明"]],
      ["🦊", ["Zoe\u0308 🦊 Fox"]],
      ["zoë", ["Zoe\u0308 🦊 Fox"]],
      ["@johnny", ["John Smith"]],
      ["yolk", ["Фёдор Ёлкин"]],
      ["jose.alvarez@example.com", ["José Álvarez"]],
      ["+86 13812", ["王小明"]],
      ["ohn", []],
      ["smith jose", []],
    ] as const)
      expect([text, await search(app.live, text)]).toEqual([text, [...found]]);
    expect(await search(app.sandbox, "john")).toEqual([]);
  });

  test("goes on after a name as long as any, in whatever script", async () => {
    await using app = await setup({ engine });
    for (const [at, letter] of ["Ж", "王", "王"].entries())
      await app.live.post("/v1/contacts", { external_id: `${at}`, name: `${letter.repeat(150)}${at}` });
    const found: number[] = [];
    for (let cursor = ""; ;) {
      const { body } = await app.live.get<Page>(`/v1/contacts?sort=name&limit=1${cursor}`);
      found.push(...body.items.map(({ number }) => number));
      if (body.next_cursor === null) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(found).toEqual([1, 2, 3]);
  });

  test("forgets the words and tags that a contact no longer has", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { external_id: "1", name: "Old Name", tags: ["old"] });
    await app.live.post("/v1/contacts", { external_id: "1", name: "New Name", tags: ["new"], tags_mode: "replace" });
    expect(await search(app.live, "old")).toEqual([]);
    expect(await search(app.live, "new")).toEqual(["New Name"]);
    expect(await names(app.live, "tag=old")).toEqual([]);
    expect(await names(app.live, "tag=new")).toEqual(["New Name"]);
    await app.live.delete("/v1/contacts/1");
    expect(await search(app.live, "name")).toEqual([]);
    expect(await names(app.live, "tag=new")).toEqual([]);
    expect((await app.live.get<Page>("/v1/contacts")).body.total).toBe(0);
  });

  test.each(["created_at", "-created_at", "name", "-last_seen_at"])("is read to its end page by page in the order of %s", async (sort) => {
    await using app = await setup({ engine });
    const given = ["b", "a", "Ä 100 %", "c", "", "a", "Б"];
    for (const [at, name] of given.entries())
      await app.live.post("/v1/contacts", { external_id: `p${at}`, ...(name === "" ? {} : { name }) });
    await app.db.write(async (tx) => {
      for (const [at, seen] of [5, 3, 9, 3].entries())
        await app.db
          .in(tx)
          .updateTable("contacts")
          .set({ last_seen_at: seen })
          .where("number", "=", at + 1)
          .execute();
    });
    const whole = (await app.live.get<Page>(`/v1/contacts?sort=${sort}`)).body.items.map(({ number }) => number);
    const read: number[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: Page = (await app.live.get<Page>(`/v1/contacts?sort=${sort}&limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`)).body;
      read.push(...page.items.map(({ number }) => number));
      cursor = page.next_cursor;
    }
    expect(read).toEqual(whole);
    const expected = {
      created_at: [1, 2, 3, 4, 5, 6, 7],
      "-created_at": [7, 6, 5, 4, 3, 2, 1],
      name: [5, 2, 6, 3, 1, 4, 7],
      "-last_seen_at": [3, 1, 4, 2],
    };
    expect(whole).toEqual(expected[sort]);
  });

  test("is narrowed by tag and time together with a search", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { external_id: "1", name: "Ann First", tags: ["x"] });
    app.clock.advance(60_000);
    const later = new Date(app.clock.now()).toISOString();
    await app.live.post("/v1/contacts", { external_id: "2", name: "Ann Second", tags: ["x"] });
    await app.live.post("/v1/contacts", { external_id: "3", name: "Ann Third" });
    expect(await names(app.live, "search=ann")).toEqual(["Ann Third", "Ann Second", "Ann First"]);
    expect(await names(app.live, "search=ann&tag=x")).toEqual(["Ann Second", "Ann First"]);
    expect(await names(app.live, `search=ann&tag=x&created_after=${later}`)).toEqual(["Ann Second"]);
    expect(await names(app.live, `created_before=${later}`)).toEqual(["Ann First"]);
    const { body } = await app.live.get<Page>("/v1/contacts?search=ann&limit=1");
    expect(body.total).toBe(3);
  });

  test("is at the source's address too", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { external_id: "1", name: "John Smith" });
    const { status, body } = await app.live.get<Page>("/api/v1/crm/contacts?limit=10&search=john");
    expect(status).toBe(200);
    expect(body.items.map(({ name }) => name)).toEqual(["John Smith"]);
  });
});

test.each(["search=--", "created_after=yesterday", "cursor=abc", "sort=shoe_size", "limit=201"])("%s is refused", async (query) => {
  await using app = await setup();
  expect((await app.live.get(`/v1/contacts?${query}`)).status).toBe(422);
});
