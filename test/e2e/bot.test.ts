import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Event } from "#src/modules/events/model.ts";
import { executable } from "#test/support/executable.ts";
import type { Caller } from "#test/support/client.ts";
import { connectBot, eventually, messageWhen, outcomeOf, queueEmpty, send } from "./api.ts";
import { startLive, startTelegram } from "./live.ts";
import { dataOf } from "./posthouse.ts";

beforeAll(() => executable(), 60_000);

const LINK = "https://t.me/post_bot";

describe("a message from a bot", () => {
  test("reaches a person by the numeric chat id, with the name that Telegram has of them", async () => {
    await using live = await startLive();
    const { telegram, caller, bot, account } = live;
    const sarah = telegram.addPrivateChat(bot, { first_name: "Sarah", last_name: "Miller", username: "Sarah_Miller" });
    const id = await send(caller, account, sarah.id, "Hey {first_name}, your invite is ready");
    expect(await outcomeOf(caller, id)).toMatchObject({ status: "sent", text: "Hey Sarah, your invite is ready", channel: "telegram" });
    expect(telegram.sent).toMatchObject([{ token: bot.token, chat_id: sarah.id, text: "Hey Sarah, your invite is ready" }]);
  });

  test("reaches a person by the @username of a chat that the bot has had, in any case", async () => {
    await using live = await startLive();
    const { telegram, caller, bot, account } = live;
    const sarah = telegram.addPrivateChat(bot, { first_name: "Sarah", username: "Sarah_Miller" });
    await outcomeOf(caller, await send(caller, account, sarah.id, "first"));
    for (const to of ["@sarah_miller", "SARAH_MILLER"]) {
      const id = await send(caller, account, to, "Hey {first_name}");
      expect(await outcomeOf(caller, id)).toMatchObject({ status: "sent", to: "@sarah_miller", text: "Hey Sarah" });
    }
    expect(telegram.sent.map(({ chat_id }) => chat_id)).toEqual([sarah.id, sarah.id, sarah.id]);
  });

  test("reaches a group", async () => {
    await using live = await startLive();
    const group = live.telegram.addGroup(live.bot, { type: "supergroup", title: "Team" });
    const id = await send(live.caller, live.account, group.id, "Hello all");
    expect(await outcomeOf(live.caller, id)).toMatchObject({ status: "sent", to: String(group.id) });
  });

  test("to somebody who has not started the bot fails as recipient_not_started, with the link to hand over", async () => {
    await using live = await startLive();
    const { telegram, caller, account } = live;
    const stranger = telegram.addStranger({ username: "olga_k" });
    for (const to of ["@olga_k", stranger.id]) {
      const { status, error } = await outcomeOf(caller, await send(caller, account, to, "Hello {first_name|there}"));
      expect({ status, error }).toMatchObject({ status: "failed", error: { code: "recipient_not_started", link: LINK } });
    }
    expect(telegram.sent).toEqual([]);
  });

  test("to somebody who has blocked the bot fails as recipient_blocked", async () => {
    await using live = await startLive();
    const chat = live.telegram.addPrivateChat(live.bot);
    live.telegram.block(live.bot, chat);
    const { status, error } = await outcomeOf(live.caller, await send(live.caller, live.account, chat.id, "Hello"));
    expect({ status, error }).toMatchObject({ status: "failed", error: { code: "recipient_blocked" } });
  });

  test("whose answer is lost is outcome_unknown, and not sent again", async () => {
    await using live = await startLive();
    const { telegram, caller, bot, account } = live;
    const [first, second] = telegram.addPrivateChats(bot, 2);
    telegram.fault({ kind: "reset", done: true }, { method: "sendMessage" });
    const lost = await outcomeOf(caller, await send(caller, account, first!.id, "lost"));
    expect(lost).toMatchObject({ status: "failed", error: { code: "outcome_unknown" } });
    await outcomeOf(caller, await send(caller, account, second!.id, "the next one"));
    expect(telegram.sent.map(({ text }) => text)).toEqual(["lost", "the next one"]);
  });

  test("waits while Telegram can't be reached, and goes out when it can", async () => {
    await using live = await startLive();
    const { telegram, caller, bot, account } = live;
    const chat = telegram.addPrivateChat(bot);
    await telegram.stop();
    const id = await send(caller, account, chat.id, "Hello");
    const waiting = await messageWhen(caller, id, ({ attempts }) => attempts.length > 0);
    expect(waiting).toMatchObject({ status: "queued", attempts: [{ outcome: "unreached" }] });

    await using back = await startTelegram({ port: Number(new URL(telegram.url).port) });
    back.addPrivateChat(back.addBot({ token: bot.token }), { id: chat.id });
    expect(await outcomeOf(caller, id)).toMatchObject({ status: "sent", error: null });
    expect(back.sent).toHaveLength(1);
  });
});

describe("pace", () => {
  test("messages of a chat arrive in their order, one a second, while others pass by", async () => {
    await using live = await startLive();
    const { telegram, caller, bot, account } = live;
    const [chat, other] = telegram.addPrivateChats(bot, 2);
    const texts = ["one", "two", "three"];
    const messages = [
      ...texts.map((text) => ({ account_id: account, to: chat!.id, text })),
      { account_id: account, to: other!.id, text: "other" },
    ];
    expect((await caller.post("/v1/messages/batch", { messages })).body).toMatchObject({ accepted: 4, refused: 0 });
    await queueEmpty(caller);
    const inChat = telegram.sent.filter(({ chat_id }) => chat_id === chat!.id);
    expect(inChat.map(({ text }) => text)).toEqual(texts);
    for (const [index, { at }] of inChat.slice(1).entries()) expect(at - inChat[index]!.at).toBeGreaterThanOrEqual(990);
    expect(telegram.sent.findIndex(({ text }) => text === "other")).toBeLessThan(2);
  });

  test("30 a second over all chats: Telegram never has to refuse", async () => {
    await using live = await startLive({ enforceLimits: { per_second: 30, per_chat_per_second: 1, slack_ms: 250 } });
    const { telegram, caller, bot, account } = live;
    const messages = telegram.addPrivateChats(bot, 75).map(({ id }) => ({ account_id: account, to: id, text: "Hello" }));
    await caller.post("/v1/messages/batch", { messages });
    await queueEmpty(caller);
    expect(telegram.sent).toHaveLength(75);
    expect(telegram.requests.over_limit).toBe(0);
  });

  test("a 429 holds that bot's messages for the time it asks for, and nobody else's", async () => {
    await using live = await startLive();
    const { telegram, caller, bot, account } = live;
    const otherBot = telegram.addBot();
    const otherAccount = await connectBot(caller, otherBot);
    const [first, second] = telegram.addPrivateChats(bot, 2);
    const other = telegram.addPrivateChat(otherBot);
    telegram.flood(2, { token: bot.token });
    const held = await send(caller, account, first!.id, "held");
    const { attempts } = await messageWhen(caller, held, ({ attempts }) => attempts.length > 0);
    const behind = await send(caller, account, second!.id, "behind");
    const passing = await outcomeOf(caller, await send(caller, otherAccount, other.id, "passing"));
    expect(attempts).toMatchObject([{ outcome: "held" }]);
    expect(passing.status).toBe("sent");
    expect((await caller.get(`/v1/messages/${behind}`)).body).toMatchObject({ status: "queued", attempts: [] });
    const sent = [await outcomeOf(caller, held), await outcomeOf(caller, behind)];
    expect(sent.map(({ status, attempts }) => [status, attempts.map(({ outcome }) => outcome)])).toEqual([
      ["sent", ["held", "sent"]],
      ["sent", ["sent"]],
    ]);
    for (const { sent_at } of sent) expect(Date.parse(sent_at!) - Date.parse(attempts[0]!.at)).toBeGreaterThanOrEqual(2_000);
    // Nothing was tried meanwhile: the held one twice, the others once.
    expect(telegram.requests.by_method["sendmessage"]).toBe(4);
  });
});

describe("a bot's token", () => {
  test("that Telegram no longer accepts disconnects the account and keeps its queue; a new one sends it", async () => {
    await using live = await startLive();
    const { telegram, caller, bot, account } = live;
    const chats = telegram.addPrivateChats(bot, 3);
    telegram.revokeToken(bot);
    const ids = [];
    for (const { id } of chats) ids.push(await send(caller, account, id, `to ${id}`));
    await accountWhen(caller, account, "disconnected");
    const { body } = await caller.get<{ items: Event[] }>("/v1/events?limit=200");
    expect(body.items.filter(({ event }) => event === "account.disconnected")).toMatchObject([{ subject: String(account) }]);
    for (const id of ids) await messageWhen(caller, id, ({ status }) => status === "queued");

    const renewed = telegram.addBot({ token: `${bot.id}:${crypto.randomUUID()}`, username: bot.username });
    for (const chat of chats) telegram.setStanding(renewed, chat, "open");
    expect((await caller.patch(`/v1/accounts/${account}`, { token: renewed.token })).body).toMatchObject({
      status: "connected",
      status_reason: null,
    });
    for (const id of ids) expect(await outcomeOf(caller, id)).toMatchObject({ status: "sent" });
    expect(telegram.sent.map(({ token }) => token)).toEqual(chats.map(() => renewed.token));
  });

  test("that Telegram refuses is a 422 on token; one that can't be checked a 503, and nothing is kept", async () => {
    await using live = await startLive();
    const { telegram, caller } = live;
    const refused = await caller.post("/v1/accounts", { kind: "telegram_bot", token: `123456789:${"x".repeat(35)}` });
    expect(refused.body).toMatchObject({ status: 422, details: [{ field: "token", error: "refused" }] });
    telegram.fault({ kind: "status", status: 502 }, { method: "getMe" });
    expect((await caller.post("/v1/accounts", { kind: "telegram_bot", token: telegram.addBot().token })).status).toBe(503);
    expect((await caller.get("/v1/accounts")).body).toMatchObject({ total: 1 });
  });

  test("stands in no log, no answer and no file, whatever goes wrong", async () => {
    await using live = await startLive();
    const { telegram, caller, bot, account, posthouse } = live;
    const faults = [
      { kind: "status", status: 500 },
      { kind: "garbage" },
      { kind: "reset" },
      { kind: "raw", bytes: "HTTP/1.1 200 OK\r\n\r\n{" },
      { kind: "error", error_code: 400, description: `Bad Request: bot${bot.token} is wrong` },
      { kind: "status", status: 302, headers: { location: `/bot${bot.token}/elsewhere` } },
    ] as const;
    const answers: string[] = [];
    for (const fault of faults) {
      const chat = telegram.addPrivateChat(bot);
      telegram.fault(fault, { method: "sendMessage" });
      answers.push(JSON.stringify(await outcomeOf(caller, await send(caller, account, chat.id, "Hello"))));
    }
    const twin = await caller.post("/v1/accounts", { kind: "telegram_bot", token: bot.token }, { "idempotency-key": "twin" });
    telegram.revokeToken(bot);
    await send(caller, account, telegram.addPrivateChat(bot).id, "Hello");
    await accountWhen(caller, account, "disconnected");
    for (const path of ["/v1/accounts", "/v1/events?limit=200", "/v1/messages?limit=200", "/metrics"])
      answers.push((await caller.get(path)).text);
    answers.push(twin.text, posthouse.out(), ...posthouse.log());

    const secret = bot.token.split(":")[1]!;
    expect(answers.filter((answer) => answer.includes(secret))).toEqual([]);
    expect(filesBelow(dataOf(live.folder)).filter((path) => readFileSync(path).includes(secret))).toEqual([]);
  });
});

function accountWhen(caller: Caller, id: number, wanted: Account["status"]): Promise<Account> {
  const read = async () => (await caller.get<Account>(`/v1/accounts/${id}`)).body;
  return eventually(`the account is not ${wanted}`, read, ({ status }) => status === wanted);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
