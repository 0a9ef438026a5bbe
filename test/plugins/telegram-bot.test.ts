import { afterEach, describe, expect, test } from "bun:test";
import net from "node:net";
import { createTelegramBotChannel } from "#plugins/telegram-bot/channel.ts";
import { createBotGate } from "#plugins/telegram-bot/check-token.ts";
import type { ChannelAccount, Outgoing, SendResult } from "#src/modules/messages/channel.ts";
import type { Fault } from "#test/support/bot-api/faults.ts";
import type { Chat } from "#test/support/bot-api/model.ts";
import { startBotApi } from "#test/support/bot-api/start.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const never = new AbortController().signal;
const LINK = "https://t.me/post_bot";

async function setup({ timeoutMs = 5_000 } = {}) {
  const api = await startBotApi();
  cleanups.push(() => api.stop());
  const bot = api.addBot({ username: "post_bot" });
  const sarah = api.addPrivateChat(bot, { first_name: "Sarah", last_name: "Miller", username: "Sarah_Miller" });
  const account = accountOf(bot.token);
  const channel = createTelegramBotChannel({ apiRoot: api.url, timeoutMs });
  const send = (message: Partial<Outgoing> = {}, signal = never) =>
    sendOver(channel, account, { recipient: String(sarah.id), ...message }, signal);
  const sendTo = (chat: Chat) => send({ recipient: String(chat.id) });
  return { api, bot, sarah, account, channel, send, sendTo };
}

function accountOf(token: string | null): ChannelAccount {
  return { env_id: 1, id: 10_000, username: "post_bot", token };
}

/** Sends, and holds that no result ever shows the token. */
async function sendOver(
  channel: ReturnType<typeof createTelegramBotChannel>,
  account: ChannelAccount,
  message: Partial<Outgoing> & { recipient: string },
  signal = never,
) {
  const result = await channel.send(
    account,
    {
      id: "msg_1",
      chat_id: null,
      text: "Hello",
      silent: false,
      reply_to: null,
      topic_id: null,
      parse_mode: null,
      files: [],
      buttons: [],
      ...message,
    },
    signal,
  );
  expect(JSON.stringify(result)).not.toContain(account.token?.split(":")[1] ?? "a missing token");
  return result;
}

/** A listener on loopback that speaks no HTTP. */
async function listen(onConnection: (socket: net.Socket) => void): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket.on("error", () => socket.destroy()));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

/** One send to whatever listens there. */
function sendTowards(apiRoot: string, timeoutMs = 5_000) {
  return sendOver(createTelegramBotChannel({ apiRoot, timeoutMs }), accountOf("7:secret-of-the-bot"), { recipient: "5" });
}

describe("recipients", () => {
  const { normalize, chatLimits, accountLimits } = createTelegramBotChannel({ apiRoot: "http://127.0.0.1:1", timeoutMs: 1 });

  test.each([
    ["sarah_miller", "@sarah_miller"],
    ["@Sarah_Miller", "@sarah_miller"],
    ["Anna", "@anna"],
    [123_456_789, "123456789"],
    ["123456789", "123456789"],
    [-1_001_234_567_890, "-1001234567890"],
    ["-1001234567890", "-1001234567890"],
    [2 ** 52 - 1, "4503599627370495"],
  ])("%p is written %p", (given, normal) => {
    expect(normalize(given)).toBe(normal);
  });

  test.each([
    "+4915112345678",
    "",
    "@",
    "abc",
    "@1abcde",
    "_sarah",
    "sarah miller",
    "sarah-miller",
    "a".repeat(33),
    "https://t.me/sarah",
    "007",
    "0",
    0,
    -0,
    1.5,
    1e21,
    Number.NaN,
    2 ** 52,
    "4503599627370496",
    "-4503599627370496",
    " 5",
    "ſarah_miller",
  ])("%p is nobody whom a bot can address", (given) => {
    expect(normalize(given)).toBeNull();
  });

  test("a bot is paced over all chats, in each chat, and in a group by the minute too", () => {
    const perChat = { count: 1, per_ms: 1_000 };
    expect(accountLimits).toEqual([{ count: 30, per_ms: 1_000 }]);
    expect(chatLimits("5")).toEqual([perChat]);
    expect(chatLimits("@sarah_miller")).toEqual([perChat]);
    expect(chatLimits("-5")).toEqual([perChat, { count: 20, per_ms: 60_000 }]);
  });
});

describe("a message that Telegram takes", () => {
  test("is sent once, and teaches what the chat is", async () => {
    const { api, sarah, send } = await setup();
    expect(await send({ text: "Hi <b>& {x}" })).toEqual({
      kind: "sent",
      remote_id: "1",
      chat: { chat_id: String(sarah.id), type: "private", first_name: "Sarah", last_name: "Miller", username: "Sarah_Miller" },
      reached: "sent",
    });
    expect(api.sent).toMatchObject([{ chat_id: sarah.id, text: "Hi <b>& {x}", silent: false, parse_mode: null, reply_to: null }]);
  });

  test("can be silent and answer another", async () => {
    const { api, send } = await setup();
    await send();
    expect(await send({ silent: true, reply_to: "1" })).toMatchObject({ kind: "sent", remote_id: "2" });
    expect(api.sent.at(-1)).toMatchObject({ silent: true, reply_to: 1 });
  });

  test("goes to the chat that a username is known to be", async () => {
    const { api, sarah, send } = await setup();
    expect(await send({ recipient: "@sarah_miller", chat_id: String(sarah.id) })).toMatchObject({ kind: "sent" });
    expect(api.requests.by_method).toEqual({ sendmessage: 1 });
  });

  test("goes to a channel that Telegram knows by its username", async () => {
    const { api, bot, send } = await setup();
    const news = api.addGroup(bot, { type: "channel", title: "News", username: "Posthouse_News" });
    expect(await send({ recipient: "@posthouse_news" })).toMatchObject({
      kind: "sent",
      chat: { chat_id: String(news.id), type: "channel" },
    });
    expect(api.sent).toMatchObject([{ chat_id: news.id }]);
  });

  test("follows a group that became a supergroup", async () => {
    const { api, bot, sendTo } = await setup();
    const group = api.addGroup(bot, { type: "group", title: "Team" });
    const successor = api.migrate(bot, group);
    expect(await sendTo(group)).toMatchObject({ kind: "sent", chat: { chat_id: String(successor.id), type: "supergroup" } });
    expect(api.sent).toMatchObject([{ chat_id: successor.id, text: "Hello" }]);
  });
});

describe("a message that Telegram refuses", () => {
  test("to a person who has not started the bot, has the link", async () => {
    const { api, bot, sendTo } = await setup();
    const stranger = api.addStranger();
    const message = `${stranger.id} has not started the bot, and a bot can't write first.`;
    const refused: SendResult = { kind: "failed", code: "recipient_not_started", link: LINK, message };
    expect(await sendTo(stranger)).toEqual(refused);
    api.setStanding(bot, stranger, "met");
    expect(await sendTo(stranger)).toEqual(refused);
    expect(api.requests.total).toBe(2);
  });

  test("to a username that is no known chat, has the link", async () => {
    const { api, send } = await setup();
    expect(await send({ recipient: "@sarah_miller" })).toMatchObject({ kind: "failed", code: "recipient_not_started", link: LINK });
    expect(api.requests.by_method).toEqual({ getchat: 1 });
  });

  test("of a bot without a username, has no link", async () => {
    const { api, bot, channel } = await setup();
    const account = { ...accountOf(bot.token), username: null };
    expect(await sendOver(channel, account, { recipient: String(api.addStranger().id) })).toMatchObject({
      code: "recipient_not_started",
      link: null,
    });
  });

  test("to a person who blocked the bot or deleted the account, is recipient_blocked", async () => {
    const { api, bot, sarah, sendTo } = await setup();
    api.block(bot, sarah);
    const blocked: SendResult = {
      kind: "failed",
      code: "recipient_blocked",
      message: "Forbidden: bot was blocked by the user",
      link: null,
    };
    expect(await sendTo(sarah)).toEqual(blocked);
    api.deactivate(sarah);
    expect(await sendTo(sarah)).toEqual({ ...blocked, message: "Forbidden: user is deactivated" });
  });

  test("to a group, is rejected with Telegram's reason, or not found where there is none", async () => {
    const { api, bot, send, sendTo } = await setup();
    const group = api.addGroup(bot, { type: "supergroup", title: "Team" });
    const rejected = (message: string): SendResult => ({ kind: "failed", code: "message_rejected", message, link: null });
    api.setStanding(bot, group, "kicked");
    expect(await sendTo(group)).toEqual(rejected("Forbidden: bot was kicked from the supergroup chat"));
    api.setStanding(bot, group, "muted");
    expect(await sendTo(group)).toEqual(rejected("Bad Request: not enough rights to send text messages to the chat"));
    expect(await send({ recipient: "-99" })).toMatchObject({
      code: "recipient_not_found",
      message: "Bad Request: chat not found",
      link: null,
    });
  });

  test("for what it holds, is rejected with Telegram's reason", async () => {
    const { api, send } = await setup();
    const rejected = { kind: "failed", code: "message_rejected" };
    expect(await send({ text: "x".repeat(4_097) })).toMatchObject({ ...rejected, message: "Bad Request: message is too long" });
    expect(await send({ reply_to: "99" })).toMatchObject({ ...rejected, message: "Bad Request: message to be replied not found" });
    expect(await send({ reply_to: "abc" })).toMatchObject(rejected);
    expect(api.sent).toEqual([]);
  });

  test("for a 4xx without Telegram's form, is an outcome too", async () => {
    const { api, send } = await setup();
    api.fault({ kind: "status", status: 413 });
    expect(await send()).toMatchObject({ kind: "failed", code: "message_rejected", message: "HTTP 413 without a reason" });
  });

  test("with a description that repeats the token, hides it", async () => {
    const { api, bot, send } = await setup();
    api.fault({ kind: "error", error_code: 400, description: `Bad Request: odd address /bot${bot.token}/sendMessage` });
    expect(await send()).toMatchObject({ code: "message_rejected", message: "Bad Request: odd address /bot<token>/sendMessage" });
  });
});

describe("an account that can't send", () => {
  test("is unauthorized when its token is unknown, revoked, malformed or missing", async () => {
    const { api, bot, channel, send } = await setup();
    const to = { recipient: "5" };
    api.revokeToken(bot);
    expect(await send()).toEqual({ kind: "unauthorized", reason: "Unauthorized" });
    expect(await sendOver(channel, accountOf("nonsense"), to)).toEqual({ kind: "unauthorized", reason: "Not Found" });
    expect(await sendOver(channel, accountOf(null), to)).toMatchObject({ kind: "unauthorized" });
    expect(await send({ recipient: "@sarah_miller" })).toMatchObject({ kind: "unauthorized" });
  });

  test("is held for as long as Telegram asks, without a repetition", async () => {
    const { api, send } = await setup();
    api.flood(7);
    expect(await send()).toEqual({ kind: "hold", ms: 7_000, reason: "Too Many Requests: retry after 7" });
    expect(await send({ recipient: "@sarah_miller" })).toMatchObject({ kind: "hold", ms: 7_000 });
    expect(api.requests.total).toBe(2);
  });

  test("is held for a while on a 429 that does not say how long", async () => {
    const { api, send } = await setup();
    api.fault({ kind: "status", status: 429 });
    expect(await send()).toMatchObject({ kind: "hold", ms: 5_000 });
  });
});

describe("a request that was written and not answered", () => {
  const message = '{"ok":true,"result":{"message_id":1,"chat":{"id":5,"type":"private"}}}';
  const broken: [string, Fault, string][] = [
    ["502", { kind: "status", status: 502 }, "Telegram answered with HTTP 502."],
    [
      "500 in Telegram's form",
      { kind: "error", error_code: 500, description: "Internal Server Error" },
      "Telegram answered with HTTP 500.",
    ],
    [
      "502 that speaks of a 400",
      { kind: "status", status: 502, body: '{"ok":false,"error_code":400}' },
      "Telegram answered with HTTP 502.",
    ],
    ["redirect", { kind: "status", status: 307, headers: { location: "/elsewhere" } }, "Telegram answered with HTTP 307."],
    ["garbage", { kind: "garbage" }, "Telegram's answer could not be read."],
    ["null", { kind: "garbage", body: "null" }, "Telegram's answer could not be read."],
    ["success without a message", { kind: "garbage", body: '{"ok":true}' }, "Telegram's answer could not be read."],
    ["overlong answer", { kind: "garbage", body: `${message}${" ".repeat(1_048_577)}` }, "Telegram's answer could not be read."],
    [
      "half an answer",
      { kind: "raw", bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"ok":true,' },
      "Telegram's answer could not be read.",
    ],
    ["reset", { kind: "reset" }, "The connection broke before Telegram answered (ECONNRESET)."],
  ];
  for (const [name, fault, reason] of broken) {
    test(`is of unknown outcome and not repeated: ${name}`, async () => {
      const { api, send } = await setup();
      api.fault({ ...fault, done: true } as Fault);
      expect(await send()).toEqual({ kind: "unknown", reason });
      expect(api.requests.total).toBe(1);
      expect(api.sent).toHaveLength(1);
    });
  }

  test("is of unknown outcome when bytes come that are no HTTP", async () => {
    const { api, send } = await setup();
    api.fault({ kind: "raw", bytes: "\u0000\u0001 what?\r\n\r\n" });
    expect(await send()).toMatchObject({ kind: "unknown" });
  });

  test("is of unknown outcome after the timeout", async () => {
    const { api, send } = await setup({ timeoutMs: 50 });
    api.fault({ kind: "hang", done: true });
    expect(await send()).toEqual({ kind: "unknown", reason: "No answer within 50 ms." });
    expect(api.sent).toHaveLength(1);
  });

  test("is of unknown outcome when it is stopped on the wire", async () => {
    const { api, send } = await setup();
    const stopper = new AbortController();
    api.fault({ kind: "hang" });
    const result = send({}, stopper.signal);
    await api.waitFor(() => api.requests.total === 1);
    stopper.abort();
    expect(await result).toEqual({ kind: "unknown", reason: "Stopped before Telegram answered." });
  });

  test("arrives exactly once, also on a reused connection that is reset after it was read", async () => {
    const { api, send } = await setup();
    const texts: string[] = [];
    for (let i = 0; i < 5; i++) {
      texts.push(`taken ${i}`, `reset ${i}`);
      expect(await send({ text: `taken ${i}` })).toMatchObject({ kind: "sent" });
      api.fault({ kind: "reset", done: true });
      expect(await send({ text: `reset ${i}` })).toMatchObject({ kind: "unknown" });
    }
    expect(api.sent.map(({ text }) => text)).toEqual(texts);
    expect(api.requests.by_method).toEqual({ sendmessage: 10 });
    expect(api.requests.connections).toBeLessThan(10);
  });

  test("is not repeated either where a reused connection was closed unread", async () => {
    const { api, send } = await setup();
    await send({ text: "first" });
    api.fault({ kind: "unread" });
    // The reset may come before the body has left, and then nothing was written.
    expect(["unknown", "unreached"]).toContain((await send({ text: "second" })).kind);
    expect(api.requests.total).toBe(1);
  });

  test("after an idle connection was closed in order, goes over a new one", async () => {
    const { api, send } = await setup();
    await send();
    await api.closeIdleConnections();
    expect(await send()).toMatchObject({ kind: "sent" });
  });
});

describe("a request that never reached Telegram", () => {
  test("is unreached when nothing listens", async () => {
    const { api, send } = await setup();
    await api.stop();
    expect(await send()).toEqual({ kind: "unreached", reason: "There is no connection to Telegram (ECONNREFUSED)." });
  });

  test("is unreached when the other side does not speak TLS, or resets the handshake", async () => {
    const plain = await listen((socket) => socket.once("data", () => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n")));
    expect(await sendTowards(`https://127.0.0.1:${plain}`)).toMatchObject({ kind: "unreached" });
    const resetting = await listen((socket) => socket.once("data", () => socket.resetAndDestroy()));
    expect(await sendTowards(`https://127.0.0.1:${resetting}`)).toEqual({
      kind: "unreached",
      reason: "There is no connection to Telegram (ECONNRESET).",
    });
  });

  test("is unreached when the handshake does not end in time", async () => {
    const silent = await listen(() => {});
    expect(await sendTowards(`https://127.0.0.1:${silent}`, 50)).toEqual({
      kind: "unreached",
      reason: "No connection to Telegram within 50 ms.",
    });
  });

  test("is unreached when it was stopped before", async () => {
    const { api, send } = await setup();
    expect(await send({}, AbortSignal.abort())).toEqual({ kind: "unreached", reason: "Stopped before Telegram answered." });
    expect(api.requests.total).toBe(0);
  });

  test("is unreached when only the question who a username is was lost", async () => {
    const { api, send } = await setup();
    api.fault({ kind: "status", status: 502 }, { method: "getChat" });
    expect(await send({ recipient: "@sarah_miller" })).toEqual({ kind: "unreached", reason: "Telegram answered with HTTP 502." });
    expect(api.requests.by_method).toEqual({ getchat: 1 });
  });

  test("is unreached when the address is none", async () => {
    expect(await sendTowards("http://127.0.0.1:99999")).toMatchObject({ kind: "unreached" });
    expect(await sendTowards("nonsense")).toMatchObject({ kind: "unreached" });
  });
});

describe("profiles", () => {
  test("are a person's own names", async () => {
    const { sarah, account, channel } = await setup();
    const facts = { first_name: "Sarah", last_name: "Miller", username: "Sarah_Miller" };
    const known = { recipient: "@sarah_miller", chat_id: String(sarah.id) };
    expect(await channel.profile(account, known, never)).toEqual({
      kind: "profile",
      profile: facts,
      chat: { chat_id: String(sarah.id), type: "private", ...facts },
    });
  });

  test("have nulls for what Telegram does not say", async () => {
    const { api, bot, account, channel } = await setup();
    const group = api.addGroup(bot, { type: "group", title: "Team" });
    const profile = { first_name: null, last_name: null, username: null };
    expect(await channel.profile(account, { recipient: String(group.id), chat_id: null }, never)).toMatchObject({
      kind: "profile",
      profile,
    });
  });

  test("can be refused as a message can, and be asked again whatever became of the question", async () => {
    const { api, account, channel } = await setup();
    const ask = (recipient: string) => channel.profile(account, { recipient, chat_id: null }, never);
    expect(await ask("@sarah_miller")).toMatchObject({ kind: "failed", code: "recipient_not_started", link: LINK });
    api.fault({ kind: "reset" });
    expect(await ask("5")).toMatchObject({ kind: "unreached" });
    api.flood(2);
    expect(await ask("5")).toMatchObject({ kind: "hold", ms: 2_000 });
  });
});

describe("the check of a token", () => {
  test("tells whose it is", async () => {
    const { api, bot } = await setup();
    const gate = createBotGate({ apiRoot: `${api.url}/`, timeoutMs: 5_000 });
    expect(await gate.check(bot.token)).toEqual({ kind: "ok", telegram_id: bot.id, username: "post_bot", name: "Posthouse" });
  });

  test("is refused for a token that Telegram does not know, or that could change the address", async () => {
    const { api } = await setup();
    const gate = createBotGate({ apiRoot: api.url, timeoutMs: 5_000 });
    expect(await gate.check("7:unknown")).toEqual({ kind: "refused", reason: "Unauthorized" });
    for (const token of ["7:x/../../control/sent?", "7:x#", "nonsense", ""])
      expect(await gate.check(token)).toMatchObject({ kind: "refused" });
    expect(api.requests.total).toBe(1);
  });

  test("is unreachable when Telegram can't be asked, is flooded or fails", async () => {
    const { api, bot } = await setup();
    const gate = createBotGate({ apiRoot: api.url, timeoutMs: 5_000 });
    const isUnreachable = async () => {
      const check = await gate.check(bot.token);
      expect(JSON.stringify(check)).not.toContain(bot.token);
      return check.kind === "unreachable";
    };
    api.fault({ kind: "status", status: 502 });
    expect(await isUnreachable()).toBe(true);
    api.fault({ kind: "error", error_code: 429, description: "Too Many Requests: retry after 3", parameters: { retry_after: 3 } });
    expect(await isUnreachable()).toBe(true);
    await api.stop();
    expect(await isUnreachable()).toBe(true);
  });
});
