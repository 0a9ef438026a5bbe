import { describe, expect, test } from "bun:test";
import { appEngines, setup } from "#test/support/app.ts";

describe.each(appEngines)("a contact on %s", (engine) => {
  test("is read and changed by its id and by its number", async () => {
    await using app = await setup({ engine });
    const { body } = await app.live.post<{ id: string; number: number }>("/v1/contacts", { username: "some_body", tags: ["a"] });
    const patched = await app.live.patch(`/v1/contacts/${body.number}`, { first_name: "Some", last_name: "Body", tags: ["b"] });
    expect(patched.body).toMatchObject({ id: body.id, name: "Some Body", tags: ["b"] });
    expect((await app.live.get(`/v1/contacts/${body.id}`)).body).toEqual({ ...patched.body, score: { total: 0, why: [] } });
    expect((await app.live.patch(`/v1/contacts/${body.id}`, { tags: ["c"], tags_mode: "add" })).body).toMatchObject({ tags: ["b", "c"] });
    expect((await app.sandbox.get(`/v1/contacts/${body.number}`)).status).toBe(404);
  });

  test("keeps what somebody else changed in between", async () => {
    await using app = await setup({ engine });
    const { body } = await app.live.post<{ id: string }>("/v1/contacts", { username: "some_body" });
    const etag = (await app.live.get(`/v1/contacts/${body.id}`)).headers.get("etag")!;
    expect((await app.live.patch(`/v1/contacts/${body.id}`, { name: "One" }, { "if-match": etag })).status).toBe(200);
    expect((await app.live.patch(`/v1/contacts/${body.id}`, { name: "Two" }, { "if-match": etag })).status).toBe(412);
    expect((await app.live.delete(`/v1/contacts/${body.id}`, { "if-match": etag })).status).toBe(412);
  });

  test("can't take another's identity", async () => {
    await using app = await setup({ engine });
    const other = await app.live.post<{ id: string }>("/v1/contacts", { email: "other@example.com" });
    const { body } = await app.live.post<{ id: string }>("/v1/contacts", { username: "some_body" });
    const refused = await app.live.patch(`/v1/contacts/${body.id}`, { email: "Other@example.com" });
    expect([refused.status, refused.body["contact_ids"]]).toEqual([409, [other.body.id]]);
  });

  test("that was deleted is gone, and its identities are free", async () => {
    await using app = await setup({ engine });
    const { body } = await app.live.post<{ id: string }>("/v1/contacts", { username: "some_body", email: "some@example.com" });
    expect((await app.live.delete(`/v1/contacts/${body.id}`)).status).toBe(204);
    expect((await app.live.get(`/v1/contacts/${body.id}`)).status).toBe(404);
    expect((await app.live.patch(`/v1/contacts/${body.id}`, { name: "x" })).status).toBe(404);
    const next = await app.live.post<{ id: string; number: number; created: boolean }>("/v1/contacts", { username: "some_body" });
    expect(next.body).toMatchObject({ created: true, number: 2 });
    expect(next.body.id).not.toBe(body.id);
  });
});
