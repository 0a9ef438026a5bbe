import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import { purgeAt } from "#src/modules/idempotency/job.ts";
import type { CreatedKey } from "#src/modules/keys/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { cancel, queue, sendTo } from "#test/support/sending.ts";

const KEY = { "idempotency-key": "order-77" };
const DAY_MS = 86_400_000;

const totalOf = async ({ sandbox }: TestApp) => (await sandbox.get<{ total: number }>("/v1/messages")).body.total;
const rowsOf = ({ db }: TestApp) => db.read.selectFrom("idempotency").selectAll().execute();

describe.each(appEngines)("an Idempotency-Key on %s", (engine) => {
  test("used 50 times at once gives one message and 50 equal answers", async () => {
    await using app = await setup({ engine });
    const answers = await Promise.all(Array.from({ length: 50 }, () => sendTo(app.sandbox, {}, KEY)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]!.status).toBe(200);
    expect(answers.filter(({ headers }) => headers.get("idempotency-replayed") === "true").length).toBe(49);
    expect(await totalOf(app)).toBe(1);
    await app.settled();
    const { body } = await app.sandbox.get<{ items: { event: string }[] }>("/v1/events");
    expect(body.items.map(({ event }) => event)).toEqual(["message.queued", "message.sent"]);
  });

  test("50 different ones at once give 50 messages", async () => {
    await using app = await setup({ engine });
    const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => sendTo(app.sandbox, {}, { "idempotency-key": `order-${at}` })));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(50);
    expect(await totalOf(app)).toBe(50);
  });

  test("with another payload is a conflict, and the order of members is no difference", async () => {
    await using app = await setup({ engine });
    const first = await app.sandbox.post(
      "/v1/messages/send",
      { account_id: 7421, to: "@sarah_miller", text: "hello there", metadata: { a: "1", b: "2" } },
      KEY,
    );
    const same = await app.sandbox.post(
      "/v1/messages/send",
      { metadata: { b: "2", a: "1" }, text: "hello there", to: "@sarah_miller", account_id: 7421 },
      KEY,
    );
    const other = await app.sandbox.post("/v1/messages/send", { account_id: 7421, to: "@sarah_miller", text: "hello again" }, KEY);
    expect([same.text, same.headers.get("idempotency-replayed")]).toEqual([first.text, "true"]);
    expect([other.status, other.body.code, other.headers.has("idempotency-replayed")]).toEqual([409, "conflict", false]);
    expect(await totalOf(app)).toBe(1);
  });

  test("belongs to one operation, and is shared by the keys of an environment", async () => {
    await using app = await setup({ engine });
    const sent = await sendTo(app.sandbox, {}, KEY);
    const one = { account_id: 7421, to: "@sarah_miller", text: "Your invite is ready" };
    expect((await app.sandbox.post("/v1/messages/batch", { messages: [one] }, KEY)).status).toBe(200);
    const colleague = await app.makeKey(app.sandbox);
    expect((await sendTo(colleague, {}, KEY)).text).toBe(sent.text);
    const other = await app.makeWorkspace("Second");
    const elsewhere = await sendTo(other.sandbox, {}, KEY);
    expect([elsewhere.status, elsewhere.text === sent.text]).toEqual([200, false]);
    expect((await sendTo(app.sandbox, {}, { "idempotency-key": "ORDER-77" })).text).not.toBe(sent.text);
  });

  test("is the same under every spelling of the address, and another under another id", async () => {
    await using app = await setup({ engine });
    const body = { account_id: 7421, to: "@sarah_miller", text: "Your invite is ready" };
    const answers = await Promise.all(
      ["/v1/messages/send", "/api/v1/messages/send", "/v1/messages/send/", "/v1/messages/send?x=1"].map((path) =>
        app.sandbox.post(path, body, KEY),
      ),
    );
    expect(new Set(answers.slice(0, 3).map(({ text }) => text)).size).toBe(1);
    const schedule_at = toTime(app.clock.now() + 60_000);
    const [first, second] = [await queue(app.sandbox, { schedule_at }), await queue(app.sandbox, { schedule_at })];
    expect([(await cancel(app.sandbox, first, KEY)).status, (await cancel(app.sandbox, second, KEY)).status]).toEqual([200, 409]);
    expect((await cancel(app.sandbox, first, KEY)).headers.get("idempotency-replayed")).toBe("true");
  });

  test("is not kept of what was refused, so that it can be mended and sent again", async () => {
    await using app = await setup({ engine });
    const refused = [
      { text: "" },
      { to: "?!" },
      { account_id: 5 },
      { to: "@sandbox_daily_limit" },
      { reply_to: "msg_00000000000000000000000000" },
    ];
    const statuses = [];
    for (const ask of refused) statuses.push((await sendTo(app.sandbox, ask, KEY)).status);
    expect(statuses).toEqual([422, 422, 404, 429, 422]);
    expect(await rowsOf(app)).toEqual([]);
    expect((await sendTo(app.sandbox, {}, KEY)).status).toBe(200);
  });

  test("has 1 to 255 printable characters", async () => {
    await using app = await setup({ engine });
    const statuses = async (keys: string[]) =>
      Promise.all(keys.map(async (key) => (await sendTo(app.sandbox, {}, { "idempotency-key": key })).status));
    expect(await statuses(["k", "x".repeat(255), "with space", "~!@#$%^&*()"])).toEqual([200, 200, 200, 200]);
    expect(await statuses(["", " ", "x".repeat(256), "schlüssel", "tab\there"])).toEqual([422, 422, 422, 422, 422]);
  });

  test("is kept for ever for sends, and for a day for all else", async () => {
    await using app = await setup({ engine });
    const sent = await sendTo(app.sandbox, {}, KEY);
    const made = await app.live.post<CreatedKey>("/v1/keys", { name: "made", scopes: ["read:messages"] }, KEY);
    await app.leap(DAY_MS - 1);
    expect((await app.live.post("/v1/keys", { name: "made", scopes: ["read:messages"] }, KEY)).text).toBe(made.text);
    await app.leap(1);
    const anew = await app.live.post<CreatedKey>("/v1/keys", { name: "other", scopes: ["read:messages"] }, KEY);
    expect([anew.status, anew.body.id === made.body.id]).toEqual([201, false]);
    await app.leap(400 * DAY_MS);
    expect((await sendTo(app.sandbox, {}, KEY)).text).toBe(sent.text);
    expect(await totalOf(app)).toBe(1);
  });

  test("whose day is over is cleared away by housekeeping, and no other", async () => {
    await using app = await setup({ engine });
    await sendTo(app.sandbox, {}, KEY);
    for (let at = 0; at < 3; at++) await app.live.post("/v1/environments", { name: `env-${at}` }, { "idempotency-key": `made-${at}` });
    await app.leap(DAY_MS - 1);
    await app.live.post("/v1/environments", { name: "late" }, { "idempotency-key": "late" });
    await app.leap(1);
    await app.db.write((tx) => app.services.loop.enqueue(tx, purgeAt(app.clock.now())));
    await app.settled();
    expect((await rowsOf(app)).map(({ key }) => key).toSorted()).toEqual(["late", "order-77"]);
  });

  test("gives back an answer that holds a secret, which is unreadable at rest", async () => {
    await using app = await setup({ engine });
    const ask = { name: "made", scopes: ["read:messages"] };
    const made = await app.live.post<CreatedKey>("/v1/keys", ask, KEY);
    const again = await app.live.post<CreatedKey>("/v1/keys", ask, KEY);
    const rotated = await app.live.post<CreatedKey>(`/v1/keys/${made.body.id}/rotate`, {}, KEY);
    expect([again.status, again.text]).toEqual([201, made.text]);
    const kept = JSON.stringify(await rowsOf(app));
    expect([made, rotated].some(({ body }) => kept.includes(body.key.slice(13)))).toBe(false);
    expect((await rowsOf(app)).map(({ sealed }) => sealed)).toEqual([1, 1]);
    expect((await app.live.get<{ total: number }>("/v1/keys")).body.total).toBe(3);
  });

  test("gives back an empty answer as such", async () => {
    await using app = await setup({ engine });
    const made = await app.live.post<CreatedKey>("/v1/keys", { name: "made", scopes: ["read:messages"] });
    const answers = [await app.live.delete(`/v1/keys/${made.body.id}`, KEY), await app.live.delete(`/v1/keys/${made.body.id}`, KEY)];
    expect(answers.map(({ status, text, headers }) => [status, text, headers.get("idempotency-replayed")])).toEqual([
      [204, "", null],
      [204, "", "true"],
    ]);
  });

  test("is looked at only after the key was found to be allowed", async () => {
    await using app = await setup({ engine });
    await sendTo(app.sandbox, {}, KEY);
    const reader = await app.makeKey(app.sandbox, { scopes: ["read:messages"] });
    expect((await sendTo(reader, {}, KEY)).status).toBe(403);
    expect((await sendTo(app.client.as(null), {}, KEY)).status).toBe(401);
  });
});
