import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import type { Suppression, SuppressionBatchAnswer } from "#src/modules/suppressions/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";

const PATH = "/v1/suppressions";

interface Refused {
  code: string;
  details: { field: string; error: string; received?: unknown }[];
}

interface Page {
  items: Suppression[];
  total: number;
  next_cursor: string | null;
}

const suppress = (caller: Caller, ask: Record<string, unknown>) => caller.post<Suppression>(PATH, ask);
const list = async (caller: Caller, query = "") => (await caller.get<Page>(`${PATH}${query}`)).body;

describe.each(appEngines)("a suppression on %s", (engine) => {
  test("is made, read, listed and lifted", async () => {
    await using app = await setup({ engine });
    const made = await suppress(app.sandbox, { to: "Sarah_Miller", channel: "telegram", reason: "opt_out", note: "by phone" });
    const { key_id } = (await app.sandbox.get("/v1/me")).body;
    expect([made.status, made.body]).toEqual([
      201,
      {
        id: expect.stringMatching(/^sup_[0-9A-HJKMNP-TV-Z]{26}$/),
        channel: "telegram",
        to: "@sarah_miller",
        reason: "opt_out",
        note: "by phone",
        actor: String(key_id),
        created_at: toTime(app.clock.now()),
      },
    ]);
    const path = `${PATH}/${made.body.id}`;
    const found = await app.sandbox.get<Suppression>(path);
    expect(found.body).toEqual(made.body);
    expect(await list(app.sandbox)).toMatchObject({ items: [made.body], total: 1 });
    expect((await app.sandbox.delete(path, { "if-match": '"stale"' })).status).toBe(412);
    expect((await app.sandbox.delete(path, { "if-match": found.headers.get("etag")! })).status).toBe(204);
    expect([(await app.sandbox.get(path)).status, (await app.sandbox.delete(path)).status]).toEqual([404, 404]);
    expect(await list(app.sandbox)).toMatchObject({ items: [], total: 0 });
  });

  test("counts for every channel and says that somebody made it, where nothing else is said", async () => {
    await using app = await setup({ engine });
    const { body } = await suppress(app.live, { to: 123456789 });
    expect(body).toMatchObject({ channel: "*", to: "123456789", reason: "manual", note: null });
  });

  test("takes every spelling that a send takes, each in one form", async () => {
    await using app = await setup({ engine });
    const spellings = ["@Sarah_Miller", "sarah_miller", 123456789, "123456789", -1001234567890, "+15551234567"];
    const answers = [];
    for (const to of spellings) answers.push(await suppress(app.live, { to }));
    expect(answers.map(({ status, body }) => [status, body.to])).toEqual([
      [201, "@sarah_miller"],
      [200, "@sarah_miller"],
      [201, "123456789"],
      [200, "123456789"],
      [201, "-1001234567890"],
      [201, "+15551234567"],
    ]);
    expect(answers[1]!.body).toEqual(answers[0]!.body);
  });

  test("names the field that is wrong", async () => {
    await using app = await setup({ engine });
    const asks: [Record<string, unknown>, string, string][] = [
      [{ to: undefined }, "to", "required"],
      [{ to: "no body" }, "to", "bad_format"],
      [{ to: 0 }, "to", "bad_format"],
      [{ to: 1.5 }, "to", "wrong_type"],
      [{ channel: "pigeon" }, "channel", "not_allowed"],
      [{ channel: "sandbox" }, "channel", "not_allowed"],
      [{ channel: "" }, "channel", "too_short"],
      [{ reason: "because" }, "reason", "not_allowed"],
      [{ note: 5 }, "note", "wrong_type"],
      [{ actor: "me" }, "actor", "unknown_field"],
    ];
    for (const [ask, field, error] of asks) {
      const { status, body } = await app.sandbox.post<Refused>(PATH, { to: "@sarah_miller", ...ask });
      expect([ask, status, body.details[0]!.field, body.details[0]!.error]).toEqual([ask, 422, field, error]);
    }
    expect((await suppress(app.sandbox, { to: "@sarah_miller", note: "x".repeat(501) })).status).toBe(422);
    expect((await list(app.sandbox)).total).toBe(0);
  });

  test("asked for many times at once is one", async () => {
    await using app = await setup({ engine });
    const asks = Array.from({ length: 50 }, (_, at) => suppress(app.live, { to: at % 2 === 0 ? "@sarah_miller" : "Sarah_Miller" }));
    const answers = await Promise.all(asks);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array.from({ length: 49 }, () => 200), 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect((await list(app.live)).total).toBe(1);
  });

  test("is made and lifted at once as often as anybody likes, and nobody meets an error", async () => {
    await using app = await setup({ engine });
    const turns = Array.from({ length: 20 }, async () => {
      const { status, body } = await suppress(app.live, { to: "@sarah_miller" });
      return [status, (await app.live.delete(`${PATH}/${body.id}`)).status];
    });
    for (const [made, lifted] of await Promise.all(turns))
      expect([[200, 201].includes(made!), [204, 404].includes(lifted!)]).toEqual([true, true]);
    expect((await list(app.live)).total).toBe(0);
  });

  test("with an Idempotency-Key gives its first answer again, also after it was lifted", async () => {
    await using app = await setup({ engine });
    const headers = { "idempotency-key": "opt-out-1" };
    const first = await app.live.post<Suppression>(PATH, { to: "@sarah_miller" }, headers);
    await app.live.delete(`${PATH}/${first.body.id}`);
    const again = await app.live.post<Suppression>(PATH, { to: "@sarah_miller" }, headers);
    expect([again.status, again.text, again.headers.get("idempotency-replayed")]).toEqual([201, first.text, "true"]);
    expect((await list(app.live)).total).toBe(0);
  });
});

describe.each(appEngines)("suppressions on %s", (engine) => {
  test("come in batches, each taken or refused by itself", async () => {
    await using app = await setup({ engine });
    const before = await suppress(app.sandbox, { to: "@here_already" });
    const { status, body } = await app.sandbox.post<SuppressionBatchAnswer>(`${PATH}/batch`, {
      suppressions: [
        { to: "@Sarah_Miller", reason: "opt_out" },
        { to: "no body" },
        { to: "@here_already" },
        { to: "sarah_miller", reason: "complaint" },
        { to: "sarah_miller", channel: "telegram" },
        { to: 5, channel: "pigeon" },
      ],
    });
    const [sarah] = (await list(app.sandbox, "?to=sarah_miller&channel=*")).items;
    const [onTelegram] = (await list(app.sandbox, "?to=sarah_miller&channel=telegram")).items;
    expect(sarah!.reason).toBe("opt_out");
    expect([status, body]).toEqual([
      200,
      {
        results: [
          { index: 0, id: sarah!.id, created: true },
          {
            index: 1,
            error: expect.objectContaining({
              code: "validation_error",
              details: [{ field: "to", error: "bad_format", received: "no body" }],
            }),
          },
          { index: 2, id: before.body.id, created: false },
          { index: 3, id: sarah!.id, created: false },
          { index: 4, id: onTelegram!.id, created: true },
          { index: 5, error: expect.objectContaining({ code: "validation_error" }) },
        ],
        accepted: 4,
        refused: 2,
      },
    ]);
    const refused = await app.sandbox.post<SuppressionBatchAnswer>(`${PATH}/batch`, { suppressions: [{ to: "no body" }] });
    expect(refused.body).toMatchObject({ accepted: 0, refused: 1 });
    for (const count of [0, 501]) {
      const ask = { suppressions: Array.from({ length: count }, (_, at) => ({ to: at + 1 })) };
      expect((await app.sandbox.post(`${PATH}/batch`, ask)).status).toBe(422);
    }
  });

  test("of batches that cross one another are each there once", async () => {
    await using app = await setup({ engine });
    const people = Array.from({ length: 500 }, (_, at) => ({ to: 1_000 + at }));
    const batches = [people, people.toReversed(), people.toSorted((a, b) => (a.to % 7) - (b.to % 7)), people.toReversed()];
    const answers = await Promise.all(
      batches.map((suppressions) => app.live.post<SuppressionBatchAnswer>(`${PATH}/batch`, { suppressions })),
    );
    expect(answers.map(({ status, body }) => [status, body.accepted])).toEqual(batches.map(() => [200, 500]));
    const made = answers.flatMap(({ body }) => body.results).filter((result) => "created" in result && result.created);
    expect([made.length, (await list(app.live)).total]).toEqual([500, 500]);
  });

  test("are listed newest first, in pages, by recipient, channel and reason", async () => {
    await using app = await setup({ engine });
    const ids = [];
    for (const ask of [
      { to: "@one_person", reason: "opt_out" },
      { to: "@one_person", channel: "telegram" },
      { to: 42, reason: "opt_out" },
    ])
      ids.unshift((await suppress(app.live, ask)).body.id);
    const idsBy = async (query: string) => (await list(app.live, query)).items.map(({ id }) => id);
    expect(await idsBy("")).toEqual(ids);
    expect(await idsBy("?to=One_Person")).toEqual([ids[1]!, ids[2]!]);
    expect(await idsBy("?to=42")).toEqual([ids[0]!]);
    expect(await idsBy("?channel=telegram")).toEqual([ids[1]!]);
    expect(await idsBy("?channel=*&reason=opt_out")).toEqual([ids[0]!, ids[2]!]);
    expect(await idsBy("?to=nobody_here")).toEqual([]);
    expect(await idsBy("?offset=1&limit=1")).toEqual([ids[1]!]);
    const first = await list(app.live, "?limit=2");
    expect([first.total, first.items.length]).toEqual([3, 2]);
    expect(await list(app.live, `?limit=2&cursor=${first.next_cursor}`)).toMatchObject({ items: [{ id: ids[2] }], next_cursor: null });
    expect((await app.live.get(`${PATH}?channel=pigeon`)).status).toBe(422);
  });
});
