import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import type { Suppression, SuppressionBatchAnswer } from "#src/modules/suppressions/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import type { Caller } from "#test/support/client.ts";
import { queue, read } from "#test/support/sending.ts";

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
const stateOf = async (caller: Caller, id: string) => {
  const { status, error } = await read(caller, id);
  return error === null ? status : error.code;
};

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

describe.each(appEngines)("a send to somebody who is suppressed on %s", (engine) => {
  test("is accepted and fails in the sandbox, until the suppression is lifted", async () => {
    await using app = await setup({ engine });
    const { body } = await suppress(app.sandbox, { to: "@sarah_miller", channel: "telegram" });
    const asks = ["Sarah_Miller", "@sarah_miller", "@somebody_else"];
    const ids = await Promise.all(asks.map((to) => queue(app.sandbox, { to })));
    await app.settled();
    expect(await Promise.all(ids.map((id) => stateOf(app.sandbox, id)))).toEqual(["recipient_suppressed", "recipient_suppressed", "sent"]);
    expect(await read(app.sandbox, ids[0]!)).toMatchObject({
      status: "failed",
      attempts: [],
      sent_at: null,
      error: { code: "recipient_suppressed", message: "The recipient has opted out." },
    });
    const { body: log } = await app.sandbox.get<{ items: { event: string; subject: string }[] }>("/v1/events");
    expect(log.items.filter(({ subject }) => subject === ids[0]).map(({ event }) => event)).toEqual(["message.queued", "message.failed"]);
    await app.sandbox.delete(`${PATH}/${body.id}`);
    const later = await queue(app.sandbox);
    await app.settled();
    expect(await stateOf(app.sandbox, later)).toBe("sent");
  });

  test("fails too when it was queued before the opt-out", async () => {
    await using app = await setup({ engine });
    const schedule_at = toTime(app.clock.now() + 60_000);
    const ids = await Promise.all(["@sarah_miller", "@somebody_else"].map((to) => queue(app.sandbox, { to, schedule_at })));
    await suppress(app.sandbox, { to: "sarah_miller" });
    await app.advance(60_000);
    expect(await Promise.all(ids.map((id) => stateOf(app.sandbox, id)))).toEqual(["recipient_suppressed", "sent"]);
  });

  test("in one environment is none in another", async () => {
    await using app = await setup({ engine });
    const second = await app.makeWorkspace("Second");
    await suppress(second.sandbox, { to: "@sarah_miller" });
    await suppress(app.live, { to: "@sarah_miller" });
    const id = await queue(app.sandbox);
    await app.settled();
    expect(await stateOf(app.sandbox, id)).toBe("sent");
  });

  test("gives back what it took of the daily cap", async () => {
    await using app = await setup({ engine });
    await app.sandbox.patch("/v1/accounts/7421", { daily_cap: 1 });
    await suppress(app.sandbox, { to: "@sarah_miller" });
    const suppressed = await queue(app.sandbox);
    await app.settled();
    const scheduled = await queue(app.sandbox, { schedule_at: toTime(app.clock.now() + 1_000) });
    await app.advance(1_000);
    const other = await queue(app.sandbox, { to: "@somebody_else" });
    await app.settled();
    const states = await Promise.all([suppressed, scheduled, other].map((id) => stateOf(app.sandbox, id)));
    expect(states).toEqual(["recipient_suppressed", "recipient_suppressed", "sent"]);
  });

  test("never reaches Telegram", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const [sarah, john] = [town.telegram.addPrivateChat(bot), town.telegram.addPrivateChat(bot)];
    await suppress(town.app.live, { to: sarah.id });
    const ids = [
      await queue(town.app.live, { account_id: account.id, to: sarah.id, text: "Hey {first_name}" }),
      await queue(town.app.live, { account_id: account.id, to: john.id }),
    ];
    await town.app.settled();
    expect(await Promise.all(ids.map((id) => stateOf(town.app.live, id)))).toEqual(["recipient_suppressed", "sent"]);
    expect(town.telegram.sent.map(({ chat_id }) => chat_id)).toEqual([john.id]);
    expect(town.telegram.requests.by_method["getchat"]).toBeUndefined();
  });

  test("fails by either spelling once the bot has met the chat", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const [sarah, john] = ["Sarah_Miller", "john_doe"].map((username) => town.telegram.addPrivateChat(bot, { username }));
    for (const { id } of [sarah!, john!]) await queue(town.app.live, { account_id: account.id, to: id });
    await town.app.settled();
    await suppress(town.app.live, { to: "@sarah_miller", reason: "opt_out" });
    await suppress(town.app.live, { to: john!.id, reason: "opt_out" });
    const ids = [];
    for (const to of [sarah!.id, "@sarah_miller", john!.id, "@john_doe"])
      ids.push(await queue(town.app.live, { account_id: account.id, to }));
    await town.app.advance(5_000);
    expect(await Promise.all(ids.map((id) => stateOf(town.app.live, id)))).toEqual(ids.map(() => "recipient_suppressed"));
    expect(town.telegram.sent.length).toBe(2);
  });

  test("that waits to be tried again fails once the opt-out is there", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const sarah = town.telegram.addPrivateChat(bot);
    town.telegram.fault({
      kind: "error",
      error_code: 429,
      description: "Too Many Requests: retry after 7",
      parameters: { retry_after: 7 },
    });
    const id = await queue(town.app.live, { account_id: account.id, to: sarah.id });
    await town.app.settled();
    expect(await stateOf(town.app.live, id)).toBe("queued");
    await suppress(town.app.live, { to: sarah.id });
    await town.app.advance(8_000);
    expect(await stateOf(town.app.live, id)).toBe("recipient_suppressed");
    expect(town.telegram.sent.length).toBe(0);
  });

  test("heeds a suppression of which this process was told nothing", async () => {
    await using app = await setup({ engine });
    await app.settled();
    const row = { channel: "*", recipient: "@sarah_miller", reason: "manual", note: null, actor: "command", created_at: app.clock.now() };
    const id = "sup_01HKQ9R2X30000000000000000";
    await app.db.write((tx) =>
      app.db
        .in(tx)
        .insertInto("suppressions")
        .values({ env_id: app.sandbox.env_id, id, ...row })
        .execute(),
    );
    const message = await queue(app.sandbox);
    await app.settled();
    expect(await stateOf(app.sandbox, message)).toBe("recipient_suppressed");
  });
});
