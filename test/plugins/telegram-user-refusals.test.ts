import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { setup, type Setup } from "#test/support/telegram-user.ts";

let app: Setup;

beforeAll(async () => {
  app = await setup();
  await app.connected();
  await app.send({ id: "msg_first" });
});
afterAll(() => app[Symbol.asyncDispose]());

let sends = 0;
const sendOne = () => app.send({ id: `msg_${(sends += 1)}` });
const failed = (code: string) => ({ kind: "failed", code, message: expect.any(String), link: null });

describe("what Telegram refuses a user account's message for", () => {
  test.each([
    [420, "FLOOD_WAIT_17", { kind: "hold", ms: 17_000 }],
    [420, "FLOOD_PREMIUM_WAIT_3", { kind: "hold", ms: 3_000 }],
    [420, "FLOOD_WAIT_3600", { kind: "hold", ms: 3_600_000 }],
    [420, "FLOOD_WAIT_3601", { kind: "pause" }],
    [420, "SLOWMODE_WAIT_30", { kind: "hold_chat", ms: 30_000 }],
    [400, "PEER_FLOOD", { kind: "restricted" }],
    [403, "USER_PRIVACY_RESTRICTED", failed("recipient_privacy")],
    [406, "PRIVACY_PREMIUM_REQUIRED", failed("recipient_privacy")],
    [403, "ALLOW_PAYMENT_REQUIRED_10", failed("recipient_privacy")],
    [400, "USER_IS_BLOCKED", failed("recipient_blocked")],
    [400, "YOU_BLOCKED_USER", failed("recipient_blocked")],
    [400, "INPUT_USER_DEACTIVATED", failed("recipient_blocked")],
    [400, "CHAT_WRITE_FORBIDDEN", failed("message_rejected")],
    [400, "USER_BANNED_IN_CHANNEL", failed("message_rejected")],
    [400, "TOPIC_CLOSED", failed("message_rejected")],
    [400, "MESSAGE_EMPTY", failed("message_rejected")],
    [400, "MESSAGE_TOO_LONG", failed("message_rejected")],
    [400, "ENTITY_BOUNDS_INVALID", failed("message_rejected")],
    [420, "FROZEN_METHOD_INVALID", { kind: "pause" }],
  ])("%i %s", async (code, text, expected) => {
    app.dc.fail("messages.sendMessage", code, text);
    expect(await sendOne()).toMatchObject(expected);
    expect(app.dc.history(app.bob).map(({ text }) => text)).toEqual(["Hello"]);
  });

  test.each([
    ["USERNAME_NOT_OCCUPIED", "@nobody_there"],
    ["USERNAME_INVALID", "@no_name"],
  ])("%s", async (text, recipient) => {
    app.dc.fail("contacts.resolveUsername", 400, text);
    expect(await app.send({ id: "msg_x", recipient })).toMatchObject(failed("recipient_not_found"));
  });

  test("an id that the account has not met", async () => {
    const answer = await app.send({ id: "msg_x", recipient: "4711" });
    expect(answer).toEqual({ ...failed("recipient_not_found"), message: expect.stringContaining("has not met 4711") } as never);
  });

  test.each(["2000000000000", "-1000000000000"])("%s, an id that nobody can have", async (recipient) => {
    expect(await app.send({ id: "msg_x", recipient })).toMatchObject(failed("recipient_not_found"));
  });

  test("buttons, an answer to nothing, and markup that is none", async () => {
    for (const part of [{ buttons: [[{ text: "A", url: "https://a.example" }]] }, { reply_to: "x" }, { topic_id: "x" }]) {
      expect(await app.send({ id: "msg_x", ...part })).toMatchObject(failed("message_rejected"));
    }
    expect(await app.send({ id: "msg_x", text: "<b>", parse_mode: "HTML" })).toMatchObject(failed("message_rejected"));
  });

  test("500s: it is tried three times with the same random id, and may be sent again", async () => {
    const before = app.dc.calls.length;
    app.dc.fail("messages.sendMessage", 500, "RPC_CALL_FAIL", 3);
    expect(await sendOne()).toMatchObject({ kind: "unreached" });
    const tries = app.dc.calls.slice(before).filter(({ method }) => method === "messages.sendMessage");
    expect(tries).toHaveLength(3);
    expect(new Set(tries.map(({ request }) => String(request["randomId"]))).size).toBe(1);
  });
});

test.each(["PEER_ID_INVALID", "CHANNEL_INVALID"])("%s drops what is remembered of the peer, and asks once more", async (text) => {
  await using app = await setup();
  const { link } = await app.connected();
  await app.send({ id: "msg_1" });
  await link.until(() => link.book.has(app.bob.id));
  app.dc.fail("messages.sendMessage", 400, text, 1);
  expect(await app.send({ id: "msg_2" })).toMatchObject({ kind: "sent" });
  expect(app.dc.calls.filter(({ method }) => method === "contacts.resolveUsername")).toHaveLength(2);
  app.dc.fail("messages.sendMessage", 400, text, 2);
  expect(await app.send({ id: "msg_3" })).toMatchObject(failed("recipient_not_found"));
});

describe("what ends a session", () => {
  test.each([
    [401, "AUTH_KEY_UNREGISTERED", false],
    [401, "AUTH_KEY_INVALID", false],
    [406, "AUTH_KEY_DUPLICATED", false],
    [401, "SESSION_REVOKED", false],
    [401, "SESSION_EXPIRED", false],
    [401, "USER_DEACTIVATED", true],
    [401, "USER_DEACTIVATED_BAN", true],
    [400, "PHONE_NUMBER_BANNED", true],
  ])("%i %s", async (code, text, final) => {
    await using app = await setup();
    const { link } = await app.connected();
    await app.send({ id: "msg_1" });
    app.dc.fail("messages.sendMessage", code, text);
    expect(await app.send({ id: "msg_2" })).toEqual({ kind: "unauthorized", reason: expect.stringContaining(text), final });
    await link.until(() => link.refusal !== null);
    expect(link.refusal?.final).toBe(final);
    expect(await app.send({ id: "msg_3" })).toMatchObject({ kind: "unreached" });
  });
});
