import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { Segment, SegmentPreview } from "#src/modules/segments/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Answer, Caller } from "#test/support/client.ts";

async function make(caller: Caller, ask: Record<string, unknown> = {}): Promise<Segment> {
  const { status, body, text } = await caller.post<Segment>("/v1/segments", { name: "VIPs", filter: { tag: "vip" }, ...ask });
  if (status !== 201) throw new Error(`the segment was refused: ${text}`);
  return body;
}

async function makeField(caller: Caller, ask: Record<string, unknown>): Promise<string> {
  return (await caller.post<{ id: string }>("/v1/fields", ask)).body.id;
}

const faultOf = ({ status, body }: Answer<unknown>) => {
  const [first] = (body as { details?: { field: string; error: string }[] }).details ?? [];
  return [status, first?.field, first?.error];
};
const numbers = (answer: Answer<Page<Contact>>) => answer.body.items.map(({ number }) => number);

describe.each(appEngines)("a segment on %s", (engine) => {
  test("is made, read, listed, changed and deleted, and all of it is audited", async () => {
    await using app = await setup({ engine });
    const made = await make(app.live, { description: "The dear ones" });
    const made_at = new Date(app.clock.now()).toISOString();
    expect(made).toEqual({
      ...{ id: expect.stringMatching(/^seg_/), object: "contact", name: "VIPs", description: "The dear ones", filter: { tag: "vip" } },
      ...{ created_at: made_at, updated_at: made_at },
    });
    const path = `/v1/segments/${made.id}`;
    const read = await app.live.get<Segment>(path);
    expect(read.body).toEqual(made);
    app.clock.advance(1_000);
    const change = { name: "Dear", description: null, filter: { not: { tag: "gone" } } };
    const etag = read.headers.get("etag")!;
    const changed = await app.live.patch<Segment>(path, change, { "if-match": etag });
    expect(changed.body).toEqual({ ...made, ...change, updated_at: new Date(app.clock.now()).toISOString() });
    expect((await app.live.patch(path, { name: "Late" }, { "if-match": etag })).status).toBe(412);
    expect((await app.live.get<Page<Segment>>("/v1/segments?object=contact")).body).toMatchObject({ items: [changed.body], total: 1 });
    expect((await app.live.delete(path, { "if-match": etag })).status).toBe(412);
    expect((await app.live.delete(path)).status).toBe(204);
    for (const gone of [app.live.get(path), app.live.patch(path, { name: "x" }), app.live.delete(path)])
      expect((await gone).status).toBe(404);
    const audit = await app.live.get<Page<{ operation: string; before: unknown; after: unknown }>>("/v1/audit");
    // Of a change it keeps what differs.
    const { id: _, object: __, created_at: ___, updated_at: ____, ...was } = made;
    expect(audit.body.items.filter(({ operation }) => operation.startsWith("segments."))).toMatchObject([
      { operation: "segments.delete", before: changed.body, after: null },
      { operation: "segments.patch", before: was, after: change },
      { operation: "segments.create", before: null, after: made },
    ]);
  });

  test("has a name that no other of its environment has, also when many make it at once", async () => {
    await using app = await setup({ engine });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => app.live.post("/v1/segments", { name: "VIPs", filter: { tag: "vip" } })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
    const other = await make(app.live, { name: "Others" });
    expect((await app.live.patch(`/v1/segments/${other.id}`, { name: "VIPs" })).status).toBe(409);
    expect((await make(app.sandbox)).name).toBe("VIPs");
  });

  test("is listed page by page, newest first", async () => {
    await using app = await setup({ engine });
    for (const name of ["a", "b", "c"]) await make(app.live, { name });
    const first = await app.live.get<Page<Segment>>("/v1/segments?limit=2");
    const second = await app.live.get<Page<Segment>>(`/v1/segments?limit=2&cursor=${first.body.next_cursor}`);
    expect([...first.body.items, ...second.body.items].map(({ name }) => name)).toEqual(["c", "b", "a"]);
    expect(second.body.next_cursor).toBeNull();
    expect((await app.live.get("/v1/segments?cursor=abc")).status).toBe(422);
  });

  test("narrows lists and exports, together with what else they are narrowed by, page by page in every order", async () => {
    await using app = await setup({ engine });
    await makeField(app.live, { key: "plan", type: "choice", options: ["starter", "pro"] });
    for (let at = 1; at <= 12; at++) {
      const plan = at % 2 === 0 ? { plan: "pro" } : { plan: "starter" };
      await app.live.post("/v1/contacts", {
        external_id: `p${at}`,
        name: `Person ${at}`,
        tags: at % 3 === 0 ? ["vip", "x"] : ["x"],
        ...plan,
      });
    }
    const tagged = await make(app.live, { name: "tag", filter: { and: [{ tag: "vip" }, { attribute: "name", op: "is_set" }] } });
    const valued = await make(app.live, { name: "field", filter: { field: "plan", op: "equals", value: "PRO".toLowerCase() } });
    const walked = await make(app.live, { name: "or", filter: { or: [{ tag: "vip" }, { field: "plan", op: "equals", value: "pro" }] } });
    for (const [segment, wanted] of [
      [tagged, [12, 9, 6, 3]],
      [valued, [12, 10, 8, 6, 4, 2]],
      [walked, [12, 10, 9, 8, 6, 4, 3, 2]],
    ] as const) {
      const path = `/v1/contacts?segment=${segment.id}`;
      expect(await app.live.get<Page<Contact>>(path)).toMatchObject({ body: { total: wanted.length } });
      for (const sort of ["-created_at", "created_at", "name"]) {
        const found: number[] = [];
        for (let cursor = ""; ;) {
          const page = await app.live.get<Page<Contact>>(`${path}&sort=${sort}&limit=2${cursor}`);
          found.push(...numbers(page));
          if (page.body.next_cursor === null) break;
          cursor = `&cursor=${page.body.next_cursor}`;
        }
        expect(sort === "-created_at" ? found : found.toSorted((a, b) => b - a)).toEqual([...wanted]);
      }
      const both = wanted.filter((number) => number % 3 === 0);
      expect(numbers(await app.live.get(`${path}&tag=vip`))).toEqual(both);
      expect(numbers(await app.live.get(`${path}&field=plan:pro`))).toEqual(wanted.filter((number) => number % 2 === 0));
      expect(numbers(await app.live.get(`${path}&tag=vip&field=plan:pro`))).toEqual(both.filter((number) => number % 2 === 0));
      expect(numbers(await app.live.get(`${path}&search=person`))).toEqual([...wanted]);
      const lines = (await app.live.get(`/v1/contacts/export?format=ndjson&segment=${segment.id}`)).text.trim().split("\n");
      expect(lines.map((line) => (JSON.parse(line) as Contact).number)).toEqual([...wanted].toReversed());
    }
    const exported = await app.live.get("/v1/contacts/export?format=ndjson&field=plan:starter&tag=vip");
    expect(exported.text.trim().split("\n")).toHaveLength(2);
    expect(faultOf(await app.live.get("/v1/contacts/export?field=tier:x"))).toEqual([422, "field", "not_found"]);
  });

  test("of another environment, or of none, is not found", async () => {
    await using app = await setup({ engine });
    const foreign = await make(app.sandbox);
    for (const path of ["/v1/contacts", "/v1/contacts/export"])
      expect(faultOf(await app.live.get(`${path}?segment=${foreign.id}`))).toEqual([422, "segment", "not_found"]);
    for (const gone of [app.live.get(`/v1/segments/${foreign.id}`), app.live.delete(`/v1/segments/${foreign.id}`)])
      expect((await gone).status).toBe(404);
    await makeField(app.sandbox, { key: "plan", type: "text" });
    const ask = { name: "x", filter: { field: "plan", op: "is_set" } };
    expect(faultOf(await app.live.post("/v1/segments", ask))).toEqual([422, "filter.field", "not_found"]);
    await app.sandbox.post("/v1/contacts", { external_id: "1", tags: ["vip"] });
    expect((await app.live.post<SegmentPreview>("/v1/segments/preview", { filter: { tag: "vip" } })).body.total).toBe(0);
  });

  test("is previewed without being saved, with at most ten of those in it", async () => {
    await using app = await setup({ engine });
    for (let at = 0; at < 12; at++) await app.live.post("/v1/contacts", { external_id: `p${at}`, tags: ["vip"] });
    const reader = await app.makeKey(app.live, { scopes: ["read:contacts"] });
    const { status, body } = await reader.post<SegmentPreview>("/v1/segments/preview", { object: "contact", filter: { tag: "vip" } });
    expect([status, body.total, body.sample.map(({ number }) => number)]).toEqual([200, 12, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]]);
    expect((await app.live.get<Page<Segment>>("/v1/segments")).body.total).toBe(0);
    expect((await reader.post("/v1/segments", { name: "x", filter: { tag: "vip" } })).status).toBe(403);
  });

  test("keeps a field when its key changes, and keeps the field from being deleted", async () => {
    await using app = await setup({ engine });
    const plan = await makeField(app.live, { key: "plan", type: "choice", options: ["starter", "pro", "old"] });
    const filter = { or: [{ tag: "vip" }, { not: { field: "plan", op: "one_of", value: ["starter", "pro"] } }] };
    const segment = await make(app.live, { filter });
    await app.live.post("/v1/contacts", { external_id: "1", plan: "pro" });
    await app.live.patch(`/v1/fields/${plan}`, { key: "tier" });
    const renamed = { or: [{ tag: "vip" }, { not: { field: "tier", op: "one_of", value: ["starter", "pro"] } }] };
    expect((await app.live.get<Segment>(`/v1/segments/${segment.id}`)).body.filter).toEqual(renamed);
    expect((await app.live.get<Page<Contact>>(`/v1/contacts?segment=${segment.id}`)).body.total).toBe(0);
    const refused = await app.live.delete(`/v1/fields/${plan}`);
    expect([refused.status, refused.body["segment_ids"]]).toEqual([409, [segment.id]]);
    expect(refused.text).toContain("VIPs");
    expect((await app.live.patch(`/v1/fields/${plan}`, { options: ["starter", "old"] })).status).toBe(409);
    expect((await app.live.patch(`/v1/fields/${plan}`, { options: ["starter", "pro"] })).status).toBe(200);
    await app.live.patch(`/v1/segments/${segment.id}`, { filter: { tag: "vip" } });
    expect((await app.live.patch(`/v1/fields/${plan}`, { options: ["starter"] })).status).toBe(200);
    expect((await app.live.delete(`/v1/fields/${plan}`)).status).toBe(204);
  });

  test("never names a field that is gone, whichever of the two comes first", async () => {
    await using app = await setup({ engine });
    for (let round = 0; round < 10; round++) {
      const field = await makeField(app.live, { key: `f${round}`, type: "text" });
      const ask = { name: `s${round}`, filter: { field: `f${round}`, op: "is_set" } };
      const [made, removed] = await Promise.all([app.live.post("/v1/segments", ask), app.live.delete(`/v1/fields/${field}`)]);
      expect([
        [201, 409],
        [422, 204],
      ]).toContainEqual([made.status, removed.status]);
    }
  });
});

describe("a filter", () => {
  const deep = (depth: number): object => (depth === 0 ? { tag: "x" } : { not: deep(depth - 1) });
  const tags = (count: number) => Array.from({ length: count }, (_, at) => ({ tag: `t${at}` }));
  const email = (rest: object) => ({ attribute: "email", ...rest });
  test.each([
    [{}, "filter", "required"],
    [{ and: [] }, "filter.and", "too_short"],
    [{ and: { tag: "x" } }, "filter.and", "wrong_type"],
    [{ or: [{ tag: "x" }, "y"] }, "filter.or.1", "wrong_type"],
    [{ and: [{ tag: "x" }], or: [{ tag: "y" }] }, "filter.or", "not_allowed"],
    [{ not: [{ tag: "x" }] }, "filter.not", "wrong_type"],
    [{ and: [{ not: { or: [{ tag: "x", op: "equals" }] } }] }, "filter.and.0.not.or.0.op", "unknown_field"],
    [deep(9), "filter.not.not.not.not.not.not.not.not", "too_large"],
    [{ or: tags(101) }, "filter.or.100", "too_long"],
    [{ tag: " " }, "filter.tag", "too_short"],
    [{ tag: 1 }, "filter.tag", "wrong_type"],
    [{ tag: "x".repeat(65) }, "filter.tag", "too_long"],
    [{ attribute: "constructor", op: "is_set" }, "filter.attribute", "not_allowed"],
    [{ attribute: 1, op: "is_set" }, "filter.attribute", "wrong_type"],
    [email({}), "filter.op", "required"],
    [email({ op: "like", value: "x" }), "filter.op", "not_allowed"],
    [email({ op: "equals" }), "filter.value", "required"],
    [email({ op: "equals", value: 7 }), "filter.value", "wrong_type"],
    [email({ op: "equals", value: "" }), "filter.value", "too_short"],
    [email({ op: "contains", value: "x".repeat(501) }), "filter.value", "too_long"],
    [email({ op: "is_set", value: true }), "filter.value", "not_allowed"],
    [email({ op: "one_of", value: "x" }), "filter.value", "wrong_type"],
    [email({ op: "one_of", value: [] }), "filter.value", "too_short"],
    [email({ op: "one_of", value: ["a", 1] }), "filter.value.1", "wrong_type"],
    [email({ op: "one_of", value: Array.from({ length: 101 }, () => "a") }), "filter.value", "too_long"],
    [{ attribute: "name", op: "contains", value: "\u0301" }, "filter.value", "too_short"],
    [{ attribute: "telegram_id", op: "equals", value: "1" }, "filter.value", "wrong_type"],
    [{ attribute: "consent", op: "equals", value: "maybe" }, "filter.value", "not_allowed"],
    [{ attribute: "created_at", op: "before", value: "yesterday" }, "filter.value", "bad_format"],
    [{ attribute: "created_at", op: "after", value: 5 }, "filter.value", "wrong_type"],
    [{ attribute: "created_at", op: "within_days", value: 0 }, "filter.value", "too_small"],
    [{ attribute: "created_at", op: "within_days", value: 1.5 }, "filter.value", "wrong_type"],
    [{ attribute: "last_seen_at", op: "not_within_days", value: 40_000 }, "filter.value", "too_large"],
    [{ activity: "message_lost" }, "filter.activity", "not_allowed"],
    [{ activity: "toString" }, "filter.activity", "not_allowed"],
    [{ activity: "message_sent", within_days: -1 }, "filter.within_days", "too_small"],
    [{ activity: "message_sent", at_least: 1_001 }, "filter.at_least", "too_large"],
    [{ field: "nothing", op: "is_set" }, "filter.field", "not_found"],
    [{ field: 1, op: "is_set" }, "filter.field", "wrong_type"],
    [{ field: "plan", op: "equals", value: "gold" }, "filter.value", "not_allowed"],
    [{ field: "plan", op: "starts_with", value: "s" }, "filter.op", "not_allowed"],
    [{ field: "plan", op: "one_of", value: ["starter", "gold"] }, "filter.value.1", "not_allowed"],
    [{ and: [{ field: "amount", op: "between", value: [2, 1] }] }, "filter.and.0.value.1", "too_small"],
    [{ field: "amount", op: "between", value: [2] }, "filter.value", "too_short"],
    [{ field: "amount", op: "at_least", value: "2" }, "filter.value", "wrong_type"],
    [{ field: "amount", op: "equals", value: null }, "filter.value", "wrong_type"],
    [{ field: "amount", op: "contains", value: "1" }, "filter.op", "not_allowed"],
    [{ field: "renews", op: "less_than", value: "2026-02-30" }, "filter.value", "bad_format"],
    [{ field: "topics", op: "equals", value: ["a"] }, "filter.value", "wrong_type"],
  ])("that is %j is refused on %s as %s", async (filter, field, error) => {
    await using app = await setup();
    for (const ask of [
      { key: "plan", type: "choice", options: ["starter"] },
      { key: "amount", type: "number" },
      { key: "renews", type: "date" },
      { key: "topics", type: "multi_choice", options: ["a", "b"] },
    ])
      await app.live.post("/v1/fields", ask);
    for (const answer of [
      await app.live.post("/v1/segments", { name: "x", filter }),
      await app.live.post("/v1/segments/preview", { filter }),
    ])
      expect(faultOf(answer)).toEqual([422, field, error]);
  });

  test("of the allowed depth and number is taken", async () => {
    await using app = await setup();
    expect((await app.live.post("/v1/segments/preview", { filter: deep(8) })).status).toBe(200);
    expect((await app.live.post("/v1/segments/preview", { filter: { or: tags(100) } })).status).toBe(200);
  });
});
