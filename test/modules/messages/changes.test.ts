import { describe, expect, test } from "bun:test";
import type { DoneResult, Revision } from "#src/modules/messages/channel.ts";
import type { Message } from "#src/modules/messages/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import type { Caller } from "#test/support/client.ts";
import { jpeg, png, upload } from "#test/support/filing.ts";
import { queue, read, sendTo } from "#test/support/sending.ts";
import { makeUser, playUsers } from "#test/support/user-channel.ts";

async function eventsOf(caller: Caller, id: string): Promise<string[]> {
  const { body } = await caller.get<{ items: { event: string }[] }>(`/v1/events?subject=${id}`);
  return body.items.map(({ event }) => event);
}

/** A live environment whose bot knows Sarah, and a message that she has got. */
async function sentByBot(engine: (typeof appEngines)[number], ask: Record<string, unknown> = {}) {
  const town = await setupWithTelegram(engine);
  const { app, telegram } = town;
  const { account, bot } = await town.connect();
  const sarah = telegram.addPrivateChat(bot, { first_name: "Sarah", username: "sarah_miller" });
  const send = { account_id: account.id, to: String(sarah.id) };
  const id = await queue(app.live, { ...send, text: "One", ...ask });
  await app.settled();
  return Object.assign(town, {
    ...{ id, account, bot, sarah, send },
    history: () => telegram.history(bot, sarah),
    edit: (body: object) => app.live.patch<Message>(`/v1/messages/${id}`, body),
    remove: () => app.live.delete<Message>(`/v1/messages/${id}`),
    read: () => read(app.live, id),
  });
}

describe.each(appEngines)("a message that was sent on %s", (engine) => {
  test("is changed by Telegram, and then shows it", async () => {
    await using town = await sentByBot(engine, { buttons: [[{ text: "Yes", data: "yes" }]] });
    const { app } = town;
    const asked = await town.edit({ text: "<b>Two</b> {first_name}", parse_mode: "HTML" });
    expect([asked.status, asked.body]).toMatchObject([202, { text: "One", edited_at: null }]);
    await app.advance(5_000);
    expect(await town.read()).toMatchObject({
      ...{ status: "sent", text: "<b>Two</b> Sarah", parse_mode: "HTML", buttons: [[{ text: "Yes", data: "yes" }]], last_error: null },
      edited_at: expect.any(String),
    });
    expect(town.history()).toMatchObject([{ text: "Two Sarah", reply_markup: { inline_keyboard: [[{ text: "Yes" }]] } }]);
    await town.edit({ buttons: [] });
    await app.advance(5_000);
    expect(await town.read()).toMatchObject({ text: "<b>Two</b> Sarah", buttons: [] });
    expect(town.history()[0]!.reply_markup).toBeUndefined();
    expect(await eventsOf(app.live, town.id)).toEqual(["message.queued", "message.sent", "message.edited", "message.edited"]);
  });

  test("takes the newest of changes that wait", async () => {
    await using town = await sentByBot(engine);
    await town.app.live.patch(`/v1/accounts/${town.account.id}`, { paused: true });
    for (const text of ["Two", "Three", "Four"]) expect((await town.edit({ text })).status).toBe(202);
    await town.app.live.patch(`/v1/accounts/${town.account.id}`, { paused: false });
    await town.app.advance(10_000);
    expect(await town.read()).toMatchObject({ text: "Four" });
    expect(town.history()).toMatchObject([{ text: "Four" }]);
  });

  test("is deleted by Telegram, an album as a whole, and stays here with what it said", async () => {
    await using town = await sentByBot(engine);
    const { app } = town;
    const attachments = [{ file_id: await upload(app, app.live, jpeg) }, { file_id: await upload(app, app.live, png) }];
    const album = await queue(app.live, { ...town.send, text: "Album", attachments });
    await app.advance(5_000);
    expect(town.history()).toHaveLength(3);
    expect((await town.edit({ text: "Two" })).status).toBe(202);
    expect(await town.remove()).toMatchObject({ status: 202, body: { deleted_at: null } });
    expect((await app.live.delete(`/v1/messages/${album}`)).status).toBe(202);
    expect((await town.edit({ text: "Three" })).status).toBe(409);
    await app.advance(20_000);
    expect(town.history()).toEqual([]);
    expect(await town.read()).toMatchObject({ status: "sent", deleted_at: expect.any(String), last_error: null });
    expect((await town.remove()).status).toBe(200);
    expect((await town.edit({ text: "Three" })).status).toBe(409);
    expect((await eventsOf(app.live, album)).at(-1)).toBe("message.deleted");
  });

  test("shows why Telegram would not change it, and can be changed later", async () => {
    await using town = await sentByBot(engine);
    const description = "Bad Request: message can't be edited";
    town.telegram.fault({ kind: "error", error_code: 400, description }, { method: "editMessageText" });
    await town.edit({ text: "Two" });
    await town.app.advance(5_000);
    expect(await town.read()).toMatchObject({ status: "sent", text: "One", edited_at: null, last_error: description });
    await town.edit({ text: "{nobody_knows}" });
    await town.app.advance(5_000);
    expect(await town.read()).toMatchObject({ text: "One", last_error: "{nobody_knows} has neither a value nor a fallback." });
    await town.edit({ text: "Two" });
    await town.app.advance(5_000);
    expect(await town.read()).toMatchObject({ text: "Two", last_error: null });
  });

  test("is changed also when the network is away at first, or Telegram asks for patience", async () => {
    await using town = await sentByBot(engine);
    town.telegram.fault({ kind: "reset", done: true }, { method: "editMessageText" });
    const parameters = { retry_after: 3 };
    town.telegram.fault({ kind: "error", error_code: 429, description: "Too Many Requests", parameters }, { method: "editMessageText" });
    await town.edit({ text: "Two" });
    await town.app.advance(30_000);
    expect(await town.read()).toMatchObject({ text: "Two", last_error: null });
    expect(town.history()).toMatchObject([{ text: "Two" }]);
  });

  test("is not changed into what Telegram would refuse", async () => {
    await using town = await sentByBot(engine);
    const fieldOf = async (body: object) => {
      const { status, body: problem } = await town.edit(body);
      return [status, (problem as unknown as { details: { field: string }[] }).details[0]!.field];
    };
    expect(await fieldOf({ text: "<b>", parse_mode: "HTML" })).toEqual([422, "text"]);
    expect(await fieldOf({ text: "" })).toEqual([422, "text"]);
    expect(await fieldOf({ text: "x".repeat(4_097) })).toEqual([422, "text"]);
    expect(await fieldOf({ buttons: [[{ text: "a" }]] })).toEqual([422, "buttons.0.0"]);
    expect((await town.edit({})).status).toBe(422);
    expect((await town.edit({ texts: "x" })).status).toBe(422);
  });
});

describe.each(appEngines)("a message of a user account on %s", (engine) => {
  /** @param answer what comes of making its text another */
  async function town(answer: (text: string) => Promise<DoneResult>) {
    const edit = (_account: unknown, _message: unknown, { text }: Revision) => answer(text);
    const app = await setup({ engine, channels: () => [{ ...playUsers().channel, lacksButtons: true, edit }] });
    const account_id = await makeUser(app);
    const id = await queue(app.live, { account_id, to: "@a", text: "One" });
    await app.settled();
    const change = async (body: object) => (await app.live.patch(`/v1/messages/${id}`, body)).status;
    return { app, id, change, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() };
  }

  test("is changed as was asked last, also where the change before it is refused", async () => {
    const asked: string[] = [];
    await using user = await town(async (text) => {
      asked.push(text);
      if (text === "Three") return { kind: "done" };
      expect(await user.change({ text: "Three" })).toBe(202);
      return { kind: "failed", code: "message_rejected", message: "MESSAGE_TOO_LONG", link: null };
    });
    await user.app.advance(10_000);
    expect(await user.change({ text: "Two" })).toBe(202);
    await user.app.advance(10_000);
    expect(asked).toEqual(["Two", "Three"]);
    expect(await read(user.app.live, user.id)).toMatchObject({ text: "Three", last_error: null });
  });

  test("gets no buttons by a change either", async () => {
    await using user = await town(() => Promise.resolve({ kind: "done" }));
    expect(await user.change({ buttons: [[{ text: "Yes", data: "yes" }]] })).toBe(422);
  });
});

describe.each(appEngines)("a message that waits on %s", (engine) => {
  test("is changed at once, and canceled where it is deleted", async () => {
    await using app = await setup({ engine });
    const schedule_at = new Date(app.clock.now() + 60_000).toISOString();
    const [first, second] = [
      await queue(app.sandbox, { text: "One", schedule_at }),
      await queue(app.sandbox, { text: "One", schedule_at }),
    ];
    const changed = await app.sandbox.patch<Message>(`/v1/messages/${first}`, { text: "Hi *{first_name}*", parse_mode: "MarkdownV2" });
    expect([changed.status, changed.body]).toMatchObject([200, { status: "queued", text: "Hi *{first_name}*", parse_mode: "MarkdownV2" }]);
    const deleted = await app.sandbox.delete<Message>(`/v1/messages/${second}`);
    expect([deleted.status, deleted.body.status]).toEqual([200, "canceled"]);
    await app.advance(60_000);
    expect(await read(app.sandbox, first)).toMatchObject({ status: "sent", text: "Hi *Sarah*", edited_at: null });
    expect((await read(app.sandbox, second)).status).toBe("canceled");
  });

  test("heeds If-Match", async () => {
    await using app = await setup({ engine });
    const id = await queue(app.sandbox, { schedule_at: new Date(app.clock.now() + 60_000).toISOString() });
    const headers = { "if-match": '"another"' };
    expect((await app.sandbox.delete(`/v1/messages/${id}`, headers)).status).toBe(412);
    const etag = (await app.sandbox.get(`/v1/messages/${id}`)).headers.get("etag")!;
    expect((await app.sandbox.delete(`/v1/messages/${id}`, { "if-match": etag })).status).toBe(200);
  });
});

describe("in the sandbox", () => {
  test("what was sent is changed and deleted as anywhere", async () => {
    await using app = await setup();
    const id = await queue(app.sandbox);
    await app.settled();
    expect((await app.sandbox.patch(`/v1/messages/${id}`, { text: "Two" })).status).toBe(202);
    await app.settled();
    expect(await read(app.sandbox, id)).toMatchObject({ text: "Two", edited_at: expect.any(String) });
    expect((await app.sandbox.delete(`/v1/messages/${id}`)).status).toBe(202);
    await app.settled();
    expect(await read(app.sandbox, id)).toMatchObject({ text: "Two", deleted_at: expect.any(String) });
  });

  test("what failed, was canceled or was received can't be", async () => {
    await using app = await setup();
    const failed = await queue(app.sandbox, { to: "@sandbox_blocked" });
    const { body } = await app.sandbox.post<Message>("/v1/sandbox/inbound", { from: "@sarah_miller", text: "Hi" });
    await app.settled();
    for (const id of [failed, body.id]) {
      expect((await app.sandbox.patch(`/v1/messages/${id}`, { text: "Two" })).status).toBe(409);
      expect((await app.sandbox.delete(`/v1/messages/${id}`)).status).toBe(409);
    }
    expect((await sendTo(app.sandbox)).status).toBe(200);
  });
});
