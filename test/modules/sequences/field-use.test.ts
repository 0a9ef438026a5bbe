import { describe, expect, test } from "bun:test";
import { appEngines, setup } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { makeContact } from "#test/support/scoring.ts";
import { enroll, journey, makeSequence, sending, waiting } from "#test/support/sequences.ts";

const DAY = 86_400_000;

const makeField = async (caller: Caller, ask: object) => (await caller.post<{ id: string }>("/v1/fields", ask)).body.id;

describe.each(appEngines)("a custom field that sequences name on %s", (engine) => {
  test("keeps its key and is not deleted while one of them is active or paused", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const uses = [
      ...[{ type: "set_field", field: "plan", value: "a" }, { type: "wait", until_field: { field: "plan" } }, sending("You have {plan}.")],
      { type: "branch", if: { filter: { not: { or: [{ tag: "a" }, { field: "plan", op: "is_set" }] } } }, then: null, else: null },
    ];
    for (const [at, use] of uses.entries()) {
      const field = await makeField(sandbox, { key: "plan", type: "until_field" in use ? "date" : "text" });
      const name = `Uses it ${at}`;
      const id = await makeSequence(sandbox, { name, steps: [use] });
      const path = `/v1/fields/${field}`;
      const refused = async () => [await sandbox.delete(path), await sandbox.patch(path, { key: "tier" })];
      for (const { status, body, text } of await refused()) {
        expect([status, body["sequence_ids"]]).toEqual([409, [id]]);
        expect(text).toContain(name);
      }
      expect((await sandbox.patch(path, { label: "Plan" })).status).toBe(200);
      await sandbox.post(`/v1/sequences/${id}/pause`);
      for (const { status } of await refused()) expect(status).toBe(409);
      await sandbox.post(`/v1/sequences/${id}/archive`);
      expect((await sandbox.patch(path, { key: "tier" })).status).toBe(200);
      expect((await sandbox.delete(path)).status).toBe(204);
    }
  });

  test("may go where a draft names it, a text has a fallback, or the name is only like it", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const field = await makeField(sandbox, { key: "a_b", type: "text" });
    await makeField(sandbox, { key: "axb", type: "text" });
    await sandbox.post("/v1/sequences", { name: "Draft", steps: [{ type: "set_field", field: "a_b", value: "x" }] });
    await makeSequence(sandbox, { steps: [sending("{a_b|none} \\{a_b} {axb}"), { type: "set_field", field: "axb", value: "a_b" }] });
    expect((await sandbox.delete(`/v1/fields/${field}`)).status).toBe(204);
  });

  test("keeps the options that one of them sets or asks for", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const field = await makeField(sandbox, { key: "plan", type: "choice", options: ["a", "b", "c"] });
    const filter = { field: "plan", op: "one_of", value: ["b"] };
    const steps = [
      { type: "set_field", field: "plan", value: "a" },
      { type: "branch", if: { filter }, then: null, else: null },
    ];
    await makeSequence(sandbox, { steps });
    const keep = async (options: string[]) => (await sandbox.patch(`/v1/fields/${field}`, { options })).status;
    expect([await keep(["a", "c"]), await keep(["b", "c"]), await keep(["a", "b"])]).toEqual([409, 409, 200]);
  });

  test("may go once the sequence is changed and nobody is left in the version that named it", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const field = await makeField(sandbox, { key: "plan", type: "text" });
    const steps = [waiting("1d"), { type: "set_field", field: "plan", value: "a" }];
    const id = await makeSequence(sandbox, { steps });
    await enroll(sandbox, id, await makeContact(sandbox, { username: "anna" }));
    await app.settled();
    expect((await sandbox.patch(`/v1/sequences/${id}`, { steps: [waiting("1d")] })).status).toBe(200);
    expect((await sandbox.delete(`/v1/fields/${field}`)).status).toBe(409);
    await journey(app, 2 * DAY);
    expect((await sandbox.delete(`/v1/fields/${field}`)).status).toBe(204);
  });

  test("is never gone from one that is active, whichever of the two comes first", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    for (let round = 0; round < 10; round++) {
      const field = await makeField(sandbox, { key: `f${round}`, type: "text" });
      const ask = { name: `Sequence of ${round}`, steps: [{ type: "set_field", field: `f${round}`, value: "a" }] };
      const { body } = await sandbox.post<{ id: string }>("/v1/sequences", ask);
      const both = [sandbox.post(`/v1/sequences/${body.id}/activate`), sandbox.delete(`/v1/fields/${field}`)];
      const statuses = (await Promise.all(both)).map(({ status }) => status);
      expect([
        [200, 409],
        [422, 204],
      ]).toContainEqual(statuses);
    }
  });
});
