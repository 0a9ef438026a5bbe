import { afterEach, describe, expect, test } from "bun:test";
import { Api, Bot, GrammyError, HttpError, InputFile } from "grammy";
import { spawnBotApi } from "./remote.ts";
import { startBotApi, type BotApiOptions } from "./start.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function setup(options: BotApiOptions = {}) {
  const api = await startBotApi(options);
  cleanups.push(() => api.stop());
  const bot = api.addBot({ username: "post_bot" });
  const sarah = api.addPrivateChat(bot, { first_name: "Sarah", last_name: "Miller", username: "sarah_miller" });
  return { api, bot, sarah, client: new Api(bot.token, { apiRoot: api.url }) };
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error("the call did not fail");
}

/** What grammY says of a refused call. */
async function refusal(call: Promise<unknown>) {
  const error = await failureOf(call);
  if (!(error instanceof GrammyError)) throw error;
  return { code: error.error_code, description: error.description, parameters: error.parameters };
}

async function networkError(call: Promise<unknown>) {
  expect(await failureOf(call)).toBeInstanceOf(HttpError);
}

describe("calls", () => {
  test("getMe describes the bot of the token", async () => {
    const { bot, client } = await setup();
    expect(await client.getMe()).toMatchObject({ id: bot.id, is_bot: true, username: "post_bot", first_name: "Posthouse" });
  });

  test("a message is sent, recorded, and answered with its chat", async () => {
    const { api, bot, sarah, client } = await setup();
    const message = await client.sendMessage(sarah.id, "Hello", { disable_notification: true, parse_mode: "HTML" });
    expect(message).toMatchObject({ message_id: 1, chat: { id: sarah.id, type: "private", first_name: "Sarah" }, text: "Hello" });
    expect(api.sent).toMatchObject([
      { token: bot.token, chat_id: sarah.id, text: "Hello", message_id: 1, silent: true, parse_mode: "HTML", reply_to: null },
    ]);
    expect(Math.abs(Date.now() - Number(api.sent[0]?.at))).toBeLessThan(5_000);
  });

  test("a reply needs a message of the same chat", async () => {
    const { api, sarah, client } = await setup();
    const { message_id } = await client.sendMessage(sarah.id, "First");
    await client.sendMessage(sarah.id, "Second", { reply_parameters: { message_id } });
    expect(api.sent.at(-1)).toMatchObject({ text: "Second", reply_to: 1 });
    const missing = client.sendMessage(sarah.id, "Third", { reply_parameters: { message_id: 99 } });
    expect(await refusal(missing)).toMatchObject({ code: 400, description: "Bad Request: message to be replied not found" });
  });

  test("parameters come by query, form, multipart and JSON alike, to a method in any case", async () => {
    const { api, bot, sarah } = await setup();
    const address = `${api.url}/bot${bot.token}/SENDMESSAGE`;
    const fields = { chat_id: String(sarah.id), text: "Grüße & so" };
    const multipart = new FormData();
    for (const [name, value] of Object.entries(fields)) multipart.set(name, value);
    const json = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(fields) };
    const answers = [
      await fetch(`${address}?${new URLSearchParams(fields).toString()}`),
      await fetch(address, { method: "POST", body: new URLSearchParams(fields) }),
      await fetch(address, { method: "POST", body: multipart }),
      await fetch(address, json),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(api.sent.map(({ text }) => text)).toEqual(Array.from({ length: 4 }, () => fields.text));
    expect(api.requests.by_method).toEqual({ sendmessage: 4 });
  });

  test("grammY's own multipart upload is read", async () => {
    const { api, sarah, client } = await setup();
    const file = new InputFile(new Uint8Array(9), "note.txt") as unknown as string;
    await client.raw.sendMessage({ chat_id: sarah.id, text: file });
    expect(api.sent).toMatchObject([{ chat_id: sarah.id, text: expect.stringMatching(/^attach:/) }]);
  });

  test("getChat knows a person by number and a channel by username, but no person by username", async () => {
    const { api, bot, sarah, client } = await setup();
    const news = api.addGroup(bot, { type: "channel", title: "News", username: "Posthouse_News" });
    expect(await client.getChat(sarah.id)).toMatchObject({ id: sarah.id, type: "private", last_name: "Miller" });
    expect(await client.getChat("@posthouse_news")).toMatchObject({ id: news.id, type: "channel", title: "News" });
    expect(await refusal(client.getChat("@sarah_miller"))).toMatchObject({ code: 400, description: "Bad Request: chat not found" });
  });

  test("an unknown or revoked token is 401, a malformed one or an unknown method 404", async () => {
    const { api, bot, client } = await setup();
    expect(await refusal(new Api("1:unknown", { apiRoot: api.url }).getMe())).toMatchObject({ code: 401, description: "Unauthorized" });
    expect(await refusal(new Api("nonsense", { apiRoot: api.url }).getMe())).toMatchObject({ code: 404 });
    expect(await refusal(client.raw.getMyName({}))).toMatchObject({ code: 404 });
    api.revokeToken(bot);
    expect(await refusal(client.getMe())).toMatchObject({ code: 401 });
  });

  test("an empty and an overlong text, an unknown parse_mode and broken JSON are refused", async () => {
    const { api, bot, sarah, client } = await setup();
    expect(await refusal(client.sendMessage(sarah.id, " "))).toMatchObject({ description: "Bad Request: message text is empty" });
    const long = client.sendMessage(sarah.id, "x".repeat(4_097));
    expect(await refusal(long)).toMatchObject({ description: "Bad Request: message is too long" });
    const mode = client.sendMessage(sarah.id, "x", { parse_mode: "Word" as "HTML" });
    expect(await refusal(mode)).toMatchObject({ description: "Bad Request: unsupported parse_mode" });
    const headers = { "content-type": "application/json" };
    const broken = await fetch(`${api.url}/bot${bot.token}/getMe`, { method: "POST", headers, body: "{" });
    expect(await broken.json()).toEqual({ ok: false, error_code: 400, description: "Bad Request: can't parse JSON object" });
    expect(api.sent).toEqual([]);
  });
});

describe("who can be written to", () => {
  test("every standing of a bot to a person has Telegram's own refusal", async () => {
    const { api, bot, sarah, client } = await setup();
    const stranger = api.addStranger();
    const send = (id: number) => refusal(client.sendMessage(id, "Hi"));
    expect(await send(stranger.id)).toMatchObject({ code: 400, description: "Bad Request: chat not found" });
    expect(await send(1)).toMatchObject({ code: 400, description: "Bad Request: chat not found" });
    api.setStanding(bot, stranger, "met");
    expect(await send(stranger.id)).toMatchObject({ code: 403, description: "Forbidden: bot can't initiate conversation with a user" });
    api.block(bot, sarah);
    expect(await send(sarah.id)).toMatchObject({ code: 403, description: "Forbidden: bot was blocked by the user" });
    expect(await client.getChat(sarah.id)).toMatchObject({ id: sarah.id });
    api.deactivate(sarah);
    expect(await send(sarah.id)).toMatchObject({ code: 403, description: "Forbidden: user is deactivated" });
    expect(api.sent).toEqual([]);
  });

  test("a group from which the bot was kicked, or in which it may not speak, refuses", async () => {
    const { api, bot, client } = await setup();
    const group = api.addGroup(bot, { type: "supergroup", title: "Team" });
    const send = () => refusal(client.sendMessage(group.id, "Hi"));
    api.setStanding(bot, group, "muted");
    expect(await send()).toMatchObject({ code: 400, description: "Bad Request: not enough rights to send text messages to the chat" });
    api.setStanding(bot, group, "left");
    expect(await send()).toMatchObject({ code: 403, description: "Forbidden: bot is not a member of the supergroup chat" });
    api.setStanding(bot, group, "kicked");
    expect(await send()).toMatchObject({ code: 403, description: "Forbidden: bot was kicked from the supergroup chat" });
  });

  test("a group that became a supergroup names its new chat", async () => {
    const { api, bot, client } = await setup();
    const group = api.addGroup(bot, { type: "group", title: "Team" });
    const successor = api.migrate(bot, group);
    expect(await refusal(client.sendMessage(group.id, "Hi"))).toEqual({
      code: 400,
      description: "Bad Request: group chat was upgraded to a supergroup chat",
      parameters: { migrate_to_chat_id: successor.id },
    });
    await client.sendMessage(successor.id, "Hi");
    expect(api.sent).toMatchObject([{ chat_id: successor.id }]);
  });
});

describe("pacing", () => {
  test("a flood refuses the matching calls alone and says for how long", async () => {
    const { api, bot, sarah, client } = await setup();
    const tom = api.addPrivateChat(bot, { first_name: "Tom" });
    api.flood(7, { method: "sendMessage", chat_id: sarah.id });
    expect(await refusal(client.sendMessage(sarah.id, "Hi"))).toEqual({
      code: 429,
      description: "Too Many Requests: retry after 7",
      parameters: { retry_after: 7 },
    });
    await client.sendMessage(tom.id, "Hi");
    await client.getChat(sarah.id);
    expect(api.sent).toHaveLength(1);
  });

  test("broken limits are answered 429 and counted, per chat and over all", async () => {
    const { api, bot, sarah, client } = await setup({ enforceLimits: { per_second: 3, per_chat_per_second: 1 } });
    const others = api.addPrivateChats(bot, 3);
    await client.sendMessage(sarah.id, "1");
    expect(await refusal(client.sendMessage(sarah.id, "2"))).toMatchObject({ code: 429, parameters: { retry_after: 1 } });
    await client.sendMessage(others[0]?.id ?? 0, "3");
    await client.sendMessage(others[1]?.id ?? 0, "4");
    expect(await refusal(client.sendMessage(others[2]?.id ?? 0, "5"))).toMatchObject({ code: 429 });
    expect(api.requests.over_limit).toBe(2);
    expect(api.sent).toHaveLength(3);
  });
});

describe("faults", () => {
  test("each is played on the next matching call only, before or after the message is sent", async () => {
    const { api, sarah, client } = await setup();
    const texts = () => api.sent.map(({ text }) => text);
    const send = (text: string) => client.sendMessage(sarah.id, text);
    api.fault({ kind: "status", status: 502 }, { method: "sendMessage" });
    await client.getMe();
    await networkError(send("lost to a 502"));
    api.fault({ kind: "status", status: 502, done: true });
    await networkError(send("done in spite of a 502"));
    api.fault({ kind: "reset" });
    await networkError(send("lost to a reset"));
    api.fault({ kind: "reset", done: true });
    await networkError(send("done, then reset"));
    api.fault({ kind: "garbage", done: true });
    await networkError(send("done, answered with garbage"));
    api.fault({ kind: "raw", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{" });
    await networkError(send("half an answer"));
    await send("well again");
    expect(texts()).toEqual(["done in spite of a 502", "done, then reset", "done, answered with garbage", "well again"]);
  });

  test("a refusal can be scripted, as often as asked", async () => {
    const { api, sarah, client } = await setup();
    api.fault(
      { kind: "error", error_code: 429, description: "Too Many Requests: retry after 3", parameters: { retry_after: 3 } },
      { times: 2 },
    );
    for (let i = 0; i < 2; i++) expect(await refusal(client.sendMessage(sarah.id, "Hi"))).toMatchObject({ parameters: { retry_after: 3 } });
    await client.sendMessage(sarah.id, "Hi");
    expect(api.sent).toHaveLength(1);
  });

  test("a hanging call is never answered, a slow one takes effect at once", async () => {
    const { api, sarah, client } = await setup();
    api.fault({ kind: "hang" });
    const aborter = new AbortController();
    const hanging = client.sendMessage(sarah.id, "hangs", undefined, aborter.signal as never);
    await api.waitFor(() => api.requests.by_method.sendmessage === 1);
    aborter.abort();
    await networkError(hanging);
    expect(api.sent).toEqual([]);
    api.fault({ kind: "slow", ms: 20 });
    const slow = client.sendMessage(sarah.id, "slow");
    await api.waitFor(() => api.sent.length === 1);
    expect(await slow).toMatchObject({ text: "slow" });
  });

  test("a reused connection can be reset after the request was read, and the request arrives once", async () => {
    const { api, sarah, client } = await setup();
    await client.sendMessage(sarah.id, "first");
    api.fault({ kind: "reset", done: true });
    await networkError(client.sendMessage(sarah.id, "second"));
    expect(api.requests).toMatchObject({ by_method: { sendmessage: 2 }, connections: 1 });
    expect(api.sent.map(({ text }) => text)).toEqual(["first", "second"]);
  });

  test("a connection can be closed unread, new or reused, and nothing of the request is seen", async () => {
    const { api, sarah, client } = await setup();
    api.fault({ kind: "unread" });
    await networkError(client.sendMessage(sarah.id, "on a new connection"));
    await client.sendMessage(sarah.id, "fine");
    api.fault({ kind: "unread" });
    await networkError(client.sendMessage(sarah.id, "on a reused connection"));
    expect(api.sent.map(({ text }) => text)).toEqual(["fine"]);
    expect(api.requests).toMatchObject({ total: 1, connections: 2 });
  });

  test("idle connections can be closed in order, and the client takes a new one", async () => {
    const { api, sarah, client } = await setup();
    await client.sendMessage(sarah.id, "one");
    await api.closeIdleConnections();
    await client.sendMessage(sarah.id, "two");
    expect(api.sent).toHaveLength(2);
    expect(api.requests.connections).toBe(2);
  });
});

describe("updates", () => {
  test("grammY's own polling receives what a person says, and confirms it", async () => {
    const { api, bot, sarah } = await setup();
    const said: string[] = [];
    const polling = new Bot(bot.token, { client: { apiRoot: api.url } });
    polling.on("message:text", async (context) => {
      said.push(context.message.text);
      await context.reply("Got it");
    });
    const running = polling.start();
    cleanups.push(async () => {
      await polling.stop();
      await running;
    });
    await api.waitFor(() => api.requests.by_method.getupdates === 1);
    api.say(bot, sarah, "Hello bot");
    await api.waitFor(() => api.sent.length === 1);
    expect(said).toEqual(["Hello bot"]);
    expect(api.sent).toMatchObject([{ chat_id: sarah.id, text: "Got it" }]);
  });

  test("updates stay until an offset confirms them, and a poll ends empty after its timeout", async () => {
    const { api, bot, sarah, client } = await setup();
    const { update_id } = api.say(bot, sarah, "one");
    api.say(bot, sarah, "two");
    const ids = async (offset: number) => (await client.getUpdates({ offset })).map((update) => update.update_id);
    expect(await ids(0)).toEqual([update_id, update_id + 1]);
    expect(await ids(update_id + 1)).toEqual([update_id + 1]);
    expect(await ids(-1)).toEqual([update_id + 1]);
    expect(await client.getUpdates({ offset: update_id + 2, timeout: 1 })).toEqual([]);
  });

  test("a second poll ends the first with a 409", async () => {
    const { api, bot, sarah, client } = await setup();
    const first = refusal(client.getUpdates({ timeout: 30 }));
    await api.waitFor(() => api.requests.by_method.getupdates === 1);
    const second = client.getUpdates({ timeout: 30 });
    expect(await first).toMatchObject({ code: 409, description: expect.stringContaining("terminated by other getUpdates request") });
    api.say(bot, sarah, "Hi");
    expect(await second).toHaveLength(1);
  });

  test("a webhook gets an update with its secret until it answers 2xx, and keeps polling out", async () => {
    const { api, bot, sarah, client } = await setup({ webhookRetryMs: 1 });
    const received: { secret: string | null; text: string }[] = [];
    const receiver = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const { message } = (await request.json()) as { message: { text: string } };
        received.push({ secret: request.headers.get("x-telegram-bot-api-secret-token"), text: message.text });
        return new Response(null, { status: received.length < 3 ? 503 : 200 });
      },
    });
    cleanups.push(() => receiver.stop(true));
    await client.setWebhook(receiver.url.href, { secret_token: "s3cret" });
    api.say(bot, sarah, "one");
    api.say(bot, sarah, "two");
    await api.waitFor(() => received.length === 4);
    expect(received.map(({ text }) => text)).toEqual(["one", "one", "one", "two"]);
    expect(new Set(received.map(({ secret }) => secret))).toEqual(new Set(["s3cret"]));
    expect(await refusal(client.getUpdates())).toMatchObject({ code: 409 });
    expect(await client.getWebhookInfo()).toMatchObject({ url: receiver.url.href, pending_update_count: 0 });
    await client.deleteWebhook();
    expect(await client.getWebhookInfo()).toMatchObject({ url: "" });
  });

  test("a webhook without HTTPS or with a secret of odd characters is refused", async () => {
    const { client } = await setup();
    expect(await refusal(client.setWebhook("http://example.com/"))).toMatchObject({
      description: "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
    });
    const odd = client.setWebhook("https://example.com/", { secret_token: "no spaces" });
    expect(await refusal(odd)).toMatchObject({ description: "Bad Request: secret token contains unallowed characters" });
  });
});

describe("as a process of its own", () => {
  test("the same verbs work over HTTP", async () => {
    const api = await spawnBotApi();
    cleanups.push(() => api.stop());
    const bot = await api.addBot({ username: "post_bot" });
    const [first, second] = await api.addPrivateChats(bot, 2);
    const client = new Api(bot.token, { apiRoot: api.url });
    await api.block(bot, second ?? { id: 0 });
    await client.sendMessage(first?.id ?? 0, "one");
    expect(await refusal(client.sendMessage(second?.id ?? 0, "two"))).toMatchObject({ code: 403 });
    await api.fault({ kind: "reset", done: true });
    await networkError(client.sendMessage(first?.id ?? 0, "three"));
    await api.waitForSent(2);
    expect((await api.sent()).map(({ text }) => text)).toEqual(["one", "three"]);
    expect((await api.sent(1)).map(({ text }) => text)).toEqual(["three"]);
    expect(await api.requests()).toMatchObject({ by_method: { sendmessage: 3 } });
    expect(String(await failureOf(api.waitForSent(3, 1)))).toContain("2 of 3 messages");
  });
});

test("a port that is taken is an error", async () => {
  const { api } = await setup();
  expect(await failureOf(startBotApi({ port: Number(new URL(api.url).port) }))).toMatchObject({ code: "EADDRINUSE" });
});
