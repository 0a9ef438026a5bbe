import { describe, expect, test } from "bun:test";
import { scoringJobs } from "#src/modules/scoring/job.ts";
import { unmoved } from "#src/core/clock.ts";
import type { Page } from "#src/core/page.ts";
import type { AuditEntry } from "#src/modules/audit/model.ts";
import type { NewScoreRule, ScoreRule, Scoring } from "#src/modules/scoring/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Answer, Caller } from "#test/support/client.ts";

const read: NewScoreRule = { name: "Reads", points: 10, when: { event: "message.read" }, decay_days: 30 };
const make = (caller: Caller, ask: Record<string, unknown> = {}) => caller.post<ScoreRule>("/v1/scoring/rules", { ...read, ...ask });

const faultOf = ({ status, body }: Answer<unknown>) => {
  const [first] = (body as { details?: { field: string; error: string }[] }).details ?? [];
  return [status, first?.field, first?.error];
};

describe.each(appEngines)("a scoring rule on %s", (engine) => {
  test("is made, read, listed, changed and deleted", async () => {
    await using app = await setup({ engine });
    const { status, body: made } = await make(app.live);
    const at = new Date(app.clock.now()).toISOString();
    expect(status).toBe(201);
    expect(made).toEqual({ id: expect.stringMatching(/^rule_/), ...read, decay_days: 30, enabled: true, created_at: at, updated_at: at });
    const path = `/v1/scoring/rules/${made.id}`;
    const found = await app.live.get<ScoreRule>(path);
    expect(found.body).toEqual(made);
    app.clock.advance(1_000);
    const change = { name: "Reads it", points: -5, decay_days: null, enabled: false };
    const headers = { "if-match": found.headers.get("etag")! };
    const changed = await app.live.patch<ScoreRule>(path, change, headers);
    expect(changed.body).toEqual({ ...made, ...change, updated_at: new Date(app.clock.now()).toISOString() });
    expect((await app.live.patch(path, { points: 1 }, headers)).status).toBe(412);
    expect((await app.live.delete(path, headers)).status).toBe(412);
    const second = (await make(app.live, { name: "Second" })).body;
    const listed = (await app.live.get<Page<ScoreRule>>("/v1/scoring/rules?limit=1")).body;
    expect(listed).toMatchObject({ items: [second], total: 2, has_more: true });
    expect((await app.live.get<Page<ScoreRule>>(`/v1/scoring/rules?cursor=${listed.next_cursor}`)).body.items).toEqual([changed.body]);
    expect((await app.sandbox.get<Page<ScoreRule>>("/v1/scoring/rules")).body.items).toEqual([]);
    expect((await app.sandbox.get(path)).status).toBe(404);
    expect((await app.live.delete(path)).status).toBe(204);
    for (const gone of [app.live.get(path), app.live.patch(path, { points: 1 }), app.live.delete(path)])
      expect((await gone).status).toBe(404);
    const { items } = (await app.live.get<Page<AuditEntry>>(`/v1/audit?subject=${made.id}`)).body;
    expect(items.map(({ operation }) => operation)).toEqual(["scoring.rules.delete", "scoring.rules.patch", "scoring.rules.create"]);
  });

  test("is refused where it makes no sense", async () => {
    await using app = await setup({ engine });
    for (const field of [
      { key: "seats", type: "number" },
      { key: "plan", type: "choice", options: ["starter", "professional"] },
      { key: "likes", type: "multi_choice", options: ["tea", "coffee"] },
      { key: "since", type: "date" },
    ])
      await app.live.post("/v1/fields", field);
    const refused: [Record<string, unknown>, string, string][] = [
      [{ points: 0 }, "points", "not_allowed"],
      [{ points: 1001 }, "points", "too_large"],
      [{ when: {} }, "when", "required"],
      [{ when: { event: "message.read", attribute: "email", op: "is_set" } }, "when", "required"],
      [{ when: { event: "message.read", tag: "vip" } }, "when.tag", "not_allowed"],
      [{ when: { event: "contact.tagged", tag: "  " } }, "when.tag", "too_short"],
      [{ when: { event: "contact.tagged", op: "is_set" } }, "when.op", "not_allowed"],
      [{ when: { event: "message.queued" } }, "when.event", "not_allowed"],
      [{ when: { attribute: "email" } }, "when.op", "required"],
      [{ when: { attribute: "email", op: "equals" } }, "when.value", "required"],
      [{ when: { attribute: "email", op: "is_set", value: "x" } }, "when.value", "not_allowed"],
      [{ when: { attribute: "email", op: "at_least", value: "x" } }, "when.op", "not_allowed"],
      [{ when: { attribute: "email", op: "equals", value: 5 } }, "when.value", "wrong_type"],
      [{ when: { attribute: "consent", op: "equals", value: "yes" } }, "when.value", "not_allowed"],
      [{ when: { field: "nothing", op: "is_set" } }, "when.field", "not_found"],
      [{ when: { field: "plan", op: "at_least", value: "starter" } }, "when.op", "not_allowed"],
      [{ when: { field: "plan", op: "equals", value: "gold" } }, "when.value", "not_allowed"],
      [{ when: { field: "likes", op: "equals", value: "water" } }, "when.value", "not_allowed"],
      [{ when: { field: "seats", op: "equals", value: "12" } }, "when.value", "wrong_type"],
      [{ when: { field: "since", op: "at_most", value: "2026-02-30" } }, "when.value", "bad_format"],
      [{ when: { attribute: "email", op: "is_set" }, decay_days: 5 }, "decay_days", "not_allowed"],
    ];
    for (const [ask, field, error] of refused)
      expect([ask, ...faultOf(await make(app.live, { decay_days: null, ...ask }))]).toEqual([ask, 422, field, error]);
    const { body } = await make(app.live, { when: { attribute: "tag", op: "is_set" }, decay_days: null });
    expect(faultOf(await app.live.patch(`/v1/scoring/rules/${body.id}`, { decay_days: 3 }))).toEqual([422, "decay_days", "not_allowed"]);
    expect(faultOf(await app.live.patch(`/v1/scoring/rules/${body.id}`, { points: 0 }))).toEqual([422, "points", "not_allowed"]);
  });

  test("keeps its custom field when that is renamed, and says when it is deleted", async () => {
    await using app = await setup({ engine });
    const { body: field } = await app.live.post<{ id: string }>("/v1/fields", { key: "seats", type: "number" });
    const when = { field: "seats", op: "at_least", value: 10 };
    const { body } = await make(app.live, { when, decay_days: null });
    expect(body.when).toEqual(when as ScoreRule["when"]);
    const contact = (await app.live.post<{ id: string }>("/v1/contacts", { username: "sarah", fields: { seats: 12 } })).body;
    const total = async () => (await app.live.get<{ score: { total: number } }>(`/v1/contacts/${contact.id}`)).body.score.total;
    const shown = async () => (await app.live.get<ScoreRule>(`/v1/scoring/rules/${body.id}`)).body.when.field;
    expect([await total(), await shown()]).toEqual([10, "seats"]);
    await app.live.patch(`/v1/fields/${field.id}`, { key: "places" });
    expect([await total(), await shown()]).toEqual([10, "places"]);
    await app.live.delete(`/v1/fields/${field.id}`);
    expect([await total(), await shown()]).toEqual([0, null]);
  });

  test("is one of at most 100, however many are made at once", async () => {
    await using app = await setup({ engine });
    for (let at = 0; at < 97; at++) await make(app.live);
    const answers = await Promise.all(Array.from({ length: 6 }, () => make(app.live)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 409, 409, 409]);
  });

  test("takes the points that it gave with it, in several short transactions", async () => {
    await using app = await setup({ engine });
    const { body: rule } = await make(app.live, { when: { event: "contact.created" } });
    const contacts = Array.from({ length: 450 }, (_, at) => ({ external_id: `c-${at}` }));
    await app.live.post("/v1/contacts/batch", { contacts });
    const points = () => app.db.read.selectFrom("contact_points").selectAll().execute();
    expect(await points()).toHaveLength(450);
    await app.live.delete(`/v1/scoring/rules/${rule.id}`);
    expect((await app.live.get<{ score: object }>("/v1/contacts/1")).body.score).toEqual({ total: 0, why: [] });
    await app.leap(11_000);
    expect(await points()).toEqual([]);
  });
});

describe.each(appEngines)("the thresholds on %s", (engine) => {
  test("are read, set in order, and guarded by their tag", async () => {
    await using app = await setup({ engine });
    const before = await app.live.get<Scoring>("/v1/scoring");
    expect(before.body).toEqual({ thresholds: [], updated_at: null });
    const headers = { "if-match": before.headers.get("etag")! };
    const { body } = await app.live.patch<Scoring>("/v1/scoring", { thresholds: [100, 50, 100, -5] }, headers);
    expect(body).toEqual({ thresholds: [-5, 50, 100], updated_at: new Date(app.clock.now()).toISOString() });
    expect((await app.live.get("/v1/scoring")).body).toEqual(body);
    expect((await app.live.patch("/v1/scoring", { thresholds: [] }, headers)).status).toBe(412);
    expect((await app.sandbox.get<Scoring>("/v1/scoring")).body.thresholds).toEqual([]);
    expect((await app.live.patch("/v1/scoring", { thresholds: Array.from({ length: 11 }, (_, at) => at) })).status).toBe(422);
    expect((await app.live.get<Page<AuditEntry>>("/v1/audit?operation=scoring.patch")).body.items).toMatchObject([
      { subject: "scoring", before: { thresholds: [] }, after: { thresholds: [-5, 50, 100] } },
    ]);
  });
});

describe("the jobs of scoring", () => {
  test("leave what they can't do in one run to the next", async () => {
    const clock = { ...unmoved, now: () => 0, at: () => () => undefined };
    const many = () => Promise.resolve(200);
    const write = <T>(work: (tx: never) => T | Promise<T>) => Promise.resolve(work(undefined as never));
    for (const job of scoringJobs({ forgetRule: many, removeFaded: many, write, clock })) {
      const result = await job.run({ env_id: 1, rule_id: "rule" }, new AbortController().signal);
      expect(await job.end(undefined as never, [{ job: undefined as never, ready: null, result }])).toMatchObject([{ kind: "snooze" }]);
    }
  });
});
