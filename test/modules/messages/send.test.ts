import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Answer } from "#test/support/client.ts";
import { cancel, queue, read, sendTo } from "#test/support/sending.ts";

interface Refused {
  code: string;
  details: { field: string; error: string; received?: unknown }[];
}

const faultOf = ({ status, body }: Answer<unknown>) => [status, (body as Refused).details[0]!.field, (body as Refused).details[0]!.error];

describe.each(appEngines)("a send on %s", (engine) => {
  test("is queued durably, then sent, and read back with all that it was given", async () => {
    await using app = await setup({ engine });
    const sent_at = toTime(app.clock.now());
    const { status, body } = await sendTo(app.sandbox, {
      to: "Sarah_Miller",
      text: "Hey {first_name}",
      silent: true,
      metadata: { order: "77", __proto__x: "y" },
      expires_at: toTime(app.clock.now() + 60_000),
    });
    expect([status, body]).toEqual([200, { id: body.id, status: "queued", eta: sent_at }]);
    await app.settled();
    expect(await read(app.sandbox, body.id)).toEqual({
      id: body.id,
      channel: "sandbox",
      account_id: 7421,
      direction: "out",
      to: "@sarah_miller",
      sender: null,
      contact_id: null,
      thread_id: expect.stringMatching(/^th_/) as string,
      text: "Hey Sarah",
      parse_mode: null,
      attachments: [],
      buttons: [],
      location: null,
      contact_card: null,
      album_id: null,
      start_payload: null,
      reactions: [],
      status: "sent",
      eta: sent_at,
      schedule_at: null,
      expires_at: toTime(app.clock.now() + 60_000),
      silent: true,
      reply_to: null,
      error: null,
      last_error: null,
      attempts: [{ at: sent_at, duration_ms: 0, outcome: "sent", code: null, detail: null }],
      origin: null,
      metadata: { order: "77", __proto__x: "y" },
      created_at: sent_at,
      sent_at,
      delivered_at: null,
      read_at: null,
      edited_at: null,
      deleted_at: null,
      updated_at: sent_at,
    });
  });

  test("takes a username, a number, a numeric text and a phone, each in one form", async () => {
    await using app = await setup({ engine });
    const given = ["@Sarah_Miller", "sarah_miller", 123456789, "123456789", -1001234567890, "+15551234567"];
    const ids = await Promise.all(given.map((to) => queue(app.sandbox, { to })));
    const kept = await Promise.all(ids.map(async (id) => (await read(app.sandbox, id)).to));
    expect(kept).toEqual(["@sarah_miller", "@sarah_miller", "123456789", "123456789", "-1001234567890", "+15551234567"]);
  });

  test("names the field that is wrong", async () => {
    await using app = await setup({ engine });
    const asks: [Record<string, unknown>, string, string][] = [
      [{ to: undefined }, "to", "required"],
      [{ to: "no body" }, "to", "bad_format"],
      [{ to: 0 }, "to", "bad_format"],
      [{ to: 1.5 }, "to", "wrong_type"],
      [{ to: ["@sarah_miller"] }, "to", "wrong_type"],
      [{ text: "" }, "text", "too_short"],
      [{ text: " \n\t " }, "text", "too_short"],
      [{ text: "x".repeat(4_097) }, "text", "too_long"],
      [{ text: "x".repeat(8_193) }, "text", "too_long"],
      [{ text: 5 }, "text", "wrong_type"],
      [{ account_id: "7421" }, "account_id", "wrong_type"],
      [{ account_id: 0 }, "account_id", "too_small"],
      [{ account_id: 2 ** 53 }, "account_id", "too_large"],
      [{ silent: "yes" }, "silent", "wrong_type"],
      [{ metadata: { a: 1 } }, "metadata.a", "wrong_type"],
      [{ metadata: { a: "x".repeat(501) } }, "metadata.a", "too_long"],
      [{ metadata: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, "v"])) }, "metadata", "too_long"],
      [{ schedule_at: "tomorrow" }, "schedule_at", "bad_format"],
      [{ schedule_at: "2031-13-01T00:00:00Z" }, "schedule_at", "bad_format"],
      [{ schedule_at: "2031-06-01T09:00:00" }, "schedule_at", "bad_format"],
      [{ schedule_at: "2031-06-01" }, "schedule_at", "bad_format"],
      [{ expires_at: toTime(app.clock.now()) }, "expires_at", "too_small"],
      [{ expires_at: toTime(app.clock.now() + 1_000), schedule_at: toTime(app.clock.now() + 1_000) }, "expires_at", "too_small"],
      [{ reply_to: "msg_00000000000000000000000000" }, "reply_to", "not_found"],
      [{ reply_to: "abc" }, "reply_to", "not_found"],
      [{ parse_mode: "Markdown" }, "parse_mode", "not_allowed"],
      [{ buttons: [] }, "buttons", "too_short"],
      [{ texts: "typo" }, "texts", "unknown_field"],
    ];
    for (const [ask, field, error] of asks) expect([ask, ...faultOf(await sendTo(app.sandbox, ask))]).toEqual([ask, 422, field, error]);
  });

  test("never repeats a text or metadata in a refusal", async () => {
    await using app = await setup({ engine });
    const texts = await sendTo(app.sandbox, { text: "", metadata: { note: "a private remark".repeat(40) } });
    expect(texts.text).not.toContain("private");
    expect((texts.body as unknown as Refused).details.every((detail) => !("received" in detail))).toBe(true);
  });

  test("counts characters as Telegram does, not UTF-16 units", async () => {
    await using app = await setup({ engine });
    const id = await queue(app.sandbox, { text: "😀".repeat(4_096) });
    expect(faultOf(await sendTo(app.sandbox, { text: "😀".repeat(4_095) + "xx" }))).toEqual([422, "text", "too_long"]);
    await app.settled();
    expect(await read(app.sandbox, id)).toMatchObject({ status: "sent", text: "😀".repeat(4_096) });
  });

  test("knows no account but those of its environment", async () => {
    await using app = await setup({ engine });
    expect((await sendTo(app.sandbox, { account_id: 10_000 })).status).toBe(404);
    expect((await sendTo(app.live)).status).toBe(404);
  });

  test("answers an earlier message of the same account", async () => {
    await using app = await setup({ engine });
    const first = await queue(app.sandbox);
    await app.settled();
    const second = await queue(app.sandbox, { reply_to: first });
    const byNumber = await queue(app.sandbox, { reply_to: "12345" });
    await app.settled();
    expect(await read(app.sandbox, second)).toMatchObject({ status: "sent", reply_to: first });
    expect(await read(app.sandbox, byNumber)).toMatchObject({ status: "sent", reply_to: "12345" });
  });

  test("can be taken back while it is queued, and at no other time", async () => {
    await using app = await setup({ engine });
    const later = await queue(app.sandbox, { schedule_at: toTime(app.clock.now() + 60_000), expires_at: toTime(app.clock.now() + 90_000) });
    const sent = await queue(app.sandbox);
    await app.settled();
    const canceled = await cancel(app.sandbox, later);
    expect([canceled.status, canceled.body.status]).toEqual([200, "canceled"]);
    const twice = await cancel(app.sandbox, later);
    const tooLate = await cancel(app.sandbox, sent);
    expect([twice.status, tooLate.status]).toEqual([409, 409]);
    await app.advance(120_000);
    expect(await read(app.sandbox, later)).toMatchObject({ status: "canceled", sent_at: null, error: null });
  });

  test("with an ETag that no longer fits is not canceled", async () => {
    await using app = await setup({ engine });
    const id = await queue(app.sandbox, { schedule_at: toTime(app.clock.now() + 60_000) });
    const etag = (await app.sandbox.get(`/v1/messages/${id}`)).headers.get("etag")!;
    const stale = await cancel(app.sandbox, id, { "if-match": `"something-else"` });
    const fits = await cancel(app.sandbox, id, { "if-match": `"other", ${etag}` });
    const after = await app.sandbox.get(`/v1/messages/${id}`);
    expect([stale.status, fits.status, after.headers.get("etag") === etag]).toEqual([412, 200, false]);
  });
});

describe.each(appEngines)("a batch on %s", (engine) => {
  test("takes or refuses each by itself, in order", async () => {
    await using app = await setup({ engine });
    const one = { account_id: 7421, to: "@sarah_miller", text: "one of many" };
    const { status, body } = await app.sandbox.post<{ results: Record<string, unknown>[]; accepted: number; refused: number }>(
      "/v1/messages/batch",
      {
        messages: [
          one,
          { ...one, account_id: 9 },
          { ...one, to: "?!" },
          { ...one, to: "@sandbox_daily_limit" },
          { ...one, to: "@sandbox_read" },
        ],
      },
    );
    expect([status, body.accepted, body.refused]).toEqual([200, 2, 3]);
    const codes = body.results.map(({ index, error }) => [index, (error as Refused | undefined)?.code]);
    expect(codes).toEqual([
      [0, undefined],
      [1, "not_found"],
      [2, "validation_error"],
      [3, "daily_send_limit_reached"],
      [4, undefined],
    ]);
    await app.settled();
    const states = await Promise.all([0, 4].map(async (at) => (await read(app.sandbox, String(body.results[at]!.id))).status));
    expect(states).toEqual(["sent", "read"]);
    expect((await app.sandbox.get("/v1/messages")).body.total).toBe(2);
  });

  test("of 500 is sent in order to each chat, and one of 501 or 0 is refused", async () => {
    await using app = await setup({ engine });
    const messages = Array.from({ length: 501 }, (_, at) => ({ account_id: 7421, to: `@someone_${at % 7}`, text: `number ${at}` }));
    const statuses = await Promise.all(
      [messages, []].map(async (list) => (await app.sandbox.post("/v1/messages/batch", { messages: list })).status),
    );
    expect(statuses).toEqual([422, 422]);
    const { body } = await app.sandbox.post<{ accepted: number }>("/v1/messages/batch", { messages: messages.slice(1) });
    expect(body.accepted).toBe(500);
    await app.settled();
    const rows = await app.db.read
      .selectFrom("messages")
      .select(["recipient", "remote_id", "id"])
      .where("env_id", "=", app.sandbox.env_id)
      .orderBy("id")
      .execute();
    for (const [, ofChat] of Map.groupBy(rows, (row) => row.recipient)) {
      const sent = ofChat.map((row) => Number(row.remote_id));
      expect(sent).toEqual(sent.toSorted((a, b) => a - b));
    }
    expect(rows.every((row) => row.remote_id !== null)).toBe(true);
  });

  test("with one that breaks the schema is refused as a whole", async () => {
    await using app = await setup({ engine });
    const one = { account_id: 7421, to: "@sarah_miller", text: "one of many" };
    const answer = await app.sandbox.post("/v1/messages/batch", { messages: [one, { ...one, text: 5 }] });
    expect(faultOf(answer)).toEqual([422, "messages.1.text", "wrong_type"]);
    expect((await app.sandbox.get("/v1/messages")).body.total).toBe(0);
  });
});
