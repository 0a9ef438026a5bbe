import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import type { Tag } from "#src/modules/tags/model.ts";
import { appEngines, setup, type Tenant } from "#test/support/app.ts";

const list = async (tenant: Tenant, query = "") => (await tenant.get<Page<Tag>>(`/v1/tags${query}`)).body;

describe.each(appEngines)("a list of tags on %s", (engine) => {
  test("has those that are in use, with how many contacts have each", async () => {
    await using app = await setup({ engine });
    expect(await list(app.live)).toMatchObject({ items: [], total: 0, has_more: false });
    await app.live.post("/v1/contacts", { external_id: "1", tags: ["vip", "trial"] });
    await app.live.post("/v1/contacts", { external_id: "2", tags: ["vip", "été 東京"] });
    await app.live.post("/v1/contacts", { external_id: "3", tags: ["gone"] });
    await app.live.delete("/v1/contacts/3");
    await app.sandbox.post("/v1/contacts", { external_id: "1", tags: ["vip", "foreign"] });
    const { items, total } = await list(app.live);
    expect(items.toSorted((a, b) => (a.tag < b.tag ? -1 : 1))).toEqual([
      { tag: "trial", contacts: 1 },
      { tag: "vip", contacts: 2 },
      { tag: "été 東京", contacts: 1 },
    ]);
    expect(total).toBe(3);
    await app.live.patch("/v1/contacts/1", { tags: [] });
    expect((await list(app.live)).items).toContainEqual({ tag: "vip", contacts: 1 });
    expect((await list(app.live)).total).toBe(2);
  });

  test("is read to its end page by page, also by offset, and narrowed by how tags begin", async () => {
    await using app = await setup({ engine });
    const tags = [...Array.from({ length: 40 }, (_, at) => `t${at}`), "100%", "100_", "x".repeat(64), "東".repeat(64), "T", "a\\b"];
    await app.live.post("/v1/contacts", { external_id: "1", tags });
    const found: string[] = [];
    for (let cursor = ""; ;) {
      const page = await list(app.live, `?limit=7${cursor}`);
      expect(page.total).toBe(tags.length);
      found.push(...page.items.map(({ tag }) => tag));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(found.toSorted()).toEqual(tags.toSorted());
    expect((await list(app.live, "?limit=5&offset=43")).items.map(({ tag }) => tag)).toEqual(found.slice(43));
    for (const [search, wanted] of [
      ["t1", tags.filter((tag) => tag.startsWith("t1"))],
      ["T", ["T"]],
      ["100%", ["100%"]],
      ["東", ["東".repeat(64)]],
      ["z", []],
    ] as const) {
      const page = await list(app.live, `?search=${encodeURIComponent(search)}`);
      expect([search, page.items.map(({ tag }) => tag).toSorted(), page.total]).toEqual([search, [...wanted].toSorted(), wanted.length]);
    }
    const first = await list(app.live, "?search=t1&limit=4");
    const rest = await list(app.live, `?search=t1&cursor=${first.next_cursor}`);
    expect([first.items.length, rest.items.length, rest.next_cursor]).toEqual([4, 7, null]);
    expect((await app.live.get("/v1/tags?cursor=abc")).status).toBe(422);
  });

  test("counts a tag's contacts up to ten thousand", async () => {
    await using app = await setup({ engine });
    const rows = (from: number) =>
      Array.from({ length: 1_000 }, (_, at) => ({ env_id: app.live.env_id, tag: "all", contact_row: from + at }));
    for (let from = 1; from <= 10_000; from += 1_000)
      await app.db.write(async (tx) => void (await app.db.in(tx).insertInto("contact_tags").values(rows(from)).execute()));
    expect((await list(app.live)).items).toEqual([{ tag: "all", contacts: 10_000 }]);
    await app.db.write(async (tx) => void (await app.db.in(tx).insertInto("contact_tags").values(rows(10_001)).execute()));
    expect((await list(app.live)).items).toEqual([{ tag: "all", contacts: 10_000, contacts_capped: true }]);
  });
});
