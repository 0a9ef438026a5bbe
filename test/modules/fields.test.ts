import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import { forgetJob } from "#src/modules/fields/job.ts";
import type { Field } from "#src/modules/fields/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Answer, Caller } from "#test/support/client.ts";

async function make(caller: Caller, ask: Record<string, unknown> = {}): Promise<Field> {
  const { status, body, text } = await caller.post<Field>("/v1/fields", { key: "plan", type: "text", ...ask });
  if (status !== 201) throw new Error(`the field was refused: ${text}`);
  return body;
}

const faultOf = ({ status, body }: Answer<unknown>) => {
  const [first] = (body as { details?: { field: string; error: string }[] }).details ?? [];
  return [status, first?.field, first?.error];
};

describe.each(appEngines)("a custom field on %s", (engine) => {
  test("is made, read, listed, changed and deleted", async () => {
    await using app = await setup({ engine });
    const made = await make(app.live, { label: "Plan", type: "choice", options: ["starter", "professional"] });
    const made_at = new Date(app.clock.now()).toISOString();
    expect(made).toEqual({
      id: expect.stringMatching(/^fld_/),
      object: "contact",
      key: "plan",
      label: "Plan",
      type: "choice",
      options: ["starter", "professional"],
      created_at: made_at,
      updated_at: made_at,
    });
    const path = `/v1/fields/${made.id}`;
    const read = await app.live.get<Field>(path);
    expect(read.body).toEqual(made);
    app.clock.advance(1_000);
    const change = { key: "tier", label: "Tier", options: ["starter"] };
    const etag = read.headers.get("etag")!;
    const changed = await app.live.patch<Field>(path, change, { "if-match": etag });
    expect(changed.body).toEqual({ ...made, ...change, updated_at: new Date(app.clock.now()).toISOString() });
    expect((await app.live.patch(path, { label: "Late" }, { "if-match": etag })).status).toBe(412);
    expect((await app.live.get<Page<Field>>("/v1/fields?object=contact")).body).toMatchObject({ items: [changed.body], total: 1 });
    expect((await app.sandbox.get<Page<Field>>("/v1/fields")).body.items).toEqual([]);
    expect((await app.live.delete(path, { "if-match": etag })).status).toBe(412);
    expect((await app.live.delete(path)).status).toBe(204);
    for (const gone of [app.live.get(path), app.live.patch(path, { label: "x" }), app.live.delete(path)])
      expect((await gone).status).toBe(404);
  });

  test("is listed page by page, newest first", async () => {
    await using app = await setup({ engine });
    for (const key of ["a", "b", "c"]) await make(app.live, { key });
    const first = await app.live.get<Page<Field>>("/v1/fields?limit=2");
    const second = await app.live.get<Page<Field>>(`/v1/fields?limit=2&cursor=${first.body.next_cursor}`);
    expect([...first.body.items, ...second.body.items].map(({ key }) => key)).toEqual(["c", "b", "a"]);
    expect(second.body.next_cursor).toBeNull();
    expect((await app.live.get("/v1/fields?cursor=abc")).status).toBe(422);
  });

  test("has a key that no other has, also when fifty make it at once", async () => {
    await using app = await setup({ engine });
    const answers = await Promise.all(Array.from({ length: 50 }, () => app.live.post("/v1/fields", { key: "plan", type: "text" })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 49 }, () => 409)]);
    const other = await make(app.live, { key: "tier" });
    expect((await app.live.patch(`/v1/fields/${other.id}`, { key: "plan" })).status).toBe(409);
    expect((await make(app.sandbox)).key).toBe("plan");
    expect((await app.live.get<Page<Field>>("/v1/fields")).body.total).toBe(2);
  });

  test("is the hundredth at most, also when many are made at once", async () => {
    await using app = await setup({ engine });
    const answers = await Promise.all(Array.from({ length: 110 }, (_, at) => app.live.post("/v1/fields", { key: `f${at}`, type: "text" })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(10);
  });

  test("takes its values with it when it is deleted, and leaves those of others", async () => {
    await using app = await setup({ engine });
    const choices = await make(app.live, { key: "topics", type: "multi_choice", options: ["a", "b", "c"] });
    const seats = await make(app.live, { key: "seats", type: "number" });
    await make(app.live, { key: "note" });
    const contacts = Array.from({ length: 250 }, (_, at) => ({ external_id: `p${at}`, topics: ["a", "b"], seats: at, note: "stays" }));
    expect((await app.live.post("/v1/contacts/batch", { contacts })).body).toMatchObject({ created: 250 });
    const indexed = async () => (await app.db.read.selectFrom("contact_values").select("field_id").execute()).length;
    expect(await indexed()).toBe(1_000);
    for (const { id } of [choices, seats]) expect((await app.live.delete(`/v1/fields/${id}`)).status).toBe(204);
    expect((await app.live.get("/v1/contacts/1")).body).toMatchObject({ fields: { note: "stays" } });
    expect((await app.live.get("/v1/contacts?field=topics:a")).status).toBe(422);
    await app.advance(60_000);
    expect(await indexed()).toBe(250);
    const rows = await app.db.read.selectFrom("contacts").select("fields").execute();
    expect(rows.filter(({ fields }) => fields.includes(choices.id) || fields.includes(seats.id))).toEqual([]);
    expect((await app.live.get("/v1/contacts?field=note:stays")).body).toMatchObject({ total: 250 });
  });
});

test("the values of a deleted field that very many have are removed in several runs", async () => {
  let left = 50_000;
  const forget = (_tx: unknown, _env_id: number, _field_id: string, _kind: string, most: number) => {
    const removed = Math.min(most, left);
    left -= removed;
    return Promise.resolve(removed);
  };
  const job = forgetJob({ forget, write: async (work) => work(undefined as never) });
  const ready = { env_id: 1, field_id: "fld_1", kind: "txt" } as const;
  const outcomes: string[] = [];
  for (let last = ""; last !== "done";) {
    const result = await job.run(ready, new AbortController().signal);
    const [outcome] = await job.end(undefined as never, [{ job: undefined as never, ready, result }]);
    outcomes.push((last = outcome!.kind));
  }
  expect([left, outcomes]).toEqual([0, ["snooze", "snooze", "done"]]);
});

test.each([
  [{ key: "Plan" }, "key", "bad_format"],
  [{ key: "_" }, "key", "bad_format"],
  [{ key: "a".repeat(51) }, "key", "bad_format"],
  [{ key: "email" }, "key", "taken"],
  [{ key: "fields" }, "key", "taken"],
  [{ key: "tags_mode" }, "key", "taken"],
  [{ type: "money" }, "type", "not_allowed"],
  [{ object: "deal" }, "object", "not_allowed"],
  [{ type: "choice" }, "options", "required"],
  [{ type: "choice", options: [] }, "options", "too_short"],
  [{ type: "choice", options: ["Café", "cafe"] }, "options.1", "taken"],
  [{ type: "multi_choice", options: Array.from({ length: 201 }, (_, at) => `o${at}`) }, "options", "too_long"],
  [{ type: "text", options: ["a"] }, "options", "not_allowed"],
  [{ unit: "EUR" }, "unit", "unknown_field"],
])("a field of %p is refused", async (ask, field, error) => {
  await using app = await setup();
  expect(faultOf(await app.live.post("/v1/fields", { key: "plan", type: "text", ...ask }))).toEqual([422, field, error]);
});
