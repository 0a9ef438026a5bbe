import { afterEach, describe, expect, test } from "bun:test";
import { createBotConnector } from "#plugins/telegram-bot/connector.ts";
import { createWebhookSecrets } from "#plugins/telegram-bot/webhook.ts";
import type { Clock } from "#src/core/clock.ts";
import { createLog } from "#src/core/log.ts";
import type { ConnectedAccount, Connection, Inbound, Link } from "#src/modules/connections/model.ts";
import { createChanges } from "#test/support/bot-api/changes.ts";
import type { Bot } from "#test/support/bot-api/model.ts";
import { startBotApi } from "#test/support/bot-api/start.ts";
import { createTestClock, movingOn } from "#test/support/test-clock.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const OTHER = "Another program";

/** A bot, and a link that keeps what it is given in memory. */
async function setup({ webhookBase = null as string | null } = {}) {
  const changes = createChanges();
  const api = await startBotApi({ onChange: changes.notify });
  const bot = api.addBot({ username: "post_bot" });
  const sarah = api.addPrivateChat(bot, { first_name: "Sarah" });
  const clock = createTestClock();
  const told: string[] = [];
  const tell = (line: string) => {
    told.push(line);
    changes.notify();
  };
  const lines: string[] = [];
  const log = createLog({ level: "debug", format: "json", now: clock.now, write: (line) => lines.push(line) });
  const secretFor = createWebhookSecrets("secret");
  const telling: Clock = {
    ...clock,
    at(at, fire) {
      const cancel = clock.at(at, fire);
      changes.notify();
      return cancel;
    },
  };
  const connector = createBotConnector({ apiRoot: api.url, timeoutMs: 5_000, clock: telling, log, webhookBase, secretFor });
  const taken: { items: readonly Inbound[]; place: string | null }[] = [];
  const gate = { open: Promise.resolve() };
  const link: Link = {
    async take(items, place) {
      await gate.open;
      taken.push({ items, place });
      changes.notify();
    },
    proved: () => tell("proved"),
    failed: (reason) => tell(`failed: ${reason}`),
    refused: (reason) => Promise.resolve(tell(`refused: ${reason}`)),
    saveSession: () => Promise.resolve(),
    peers: {} as Link["peers"],
  };
  const connections: Connection[] = [];
  const connect = (place: string | null = null, of: Bot = bot): Connection => {
    const connection = connector.connect(accountOf(of.token, place), link);
    connections.push(connection);
    return connection;
  };
  const texts = () => taken.flatMap(({ items }) => items.flatMap((item) => (item.kind === "received" ? [item.text] : [])));
  /** Looks whenever something has happened, here or at the emulator; meanwhile time goes on to whatever waits for it. */
  const until = async (isSo: () => boolean, timeGoesOn = true) => {
    const look = () => {
      if (isSo()) return true;
      const due = timeGoesOn ? clock.nextTimer() : null;
      if (due !== null) setImmediate(() => isSo() || clock.advance(due - clock.now()));
      return false;
    };
    await changes.waitFor(look).catch(() => {
      throw new Error(`it does not come: ${JSON.stringify({ told, taken, requests: api.requests })}`);
    });
  };
  cleanups.push(
    () => api.stop(),
    () => movingOn(clock, Promise.all(connections.map((connection) => connection.close()))),
    () => expect(lines.join("")).not.toContain(bot.token.split(":")[1]!),
    () => expect(told.join("")).not.toContain(bot.token.split(":")[1]!),
  );
  const polls = () => api.requests.by_method.getupdates ?? 0;
  return { api, bot, sarah, clock, connect, taken, told, texts, until, polls, gate, lines };
}

function accountOf(token: string, place: string | null): ConnectedAccount {
  return { env_id: 1, id: 10_000, username: "post_bot", telegram_id: 1, token, session: null, proxy: null, place };
}

describe("a bot that polls", () => {
  test("takes updates in order, and asks for the next once those before are durable", async () => {
    const { api, bot, sarah, connect, taken, texts, until, polls, gate, told } = await setup();
    const opened = Promise.withResolvers<void>();
    for (let n = 1; n <= 150; n++) api.say(bot, sarah, `hello ${n}`);
    gate.open = opened.promise;
    connect();
    await until(() => polls() === 1 && told.includes("proved"));
    expect(taken).toEqual([]);
    expect(api.loadState(bot).pending).toBe(150);
    opened.resolve();
    await until(() => texts().length === 150 && polls() === 3);
    expect(texts()).toEqual(Array.from({ length: 150 }, (_, n) => `hello ${n + 1}`));
    expect(taken.map(({ items, place }) => [items.length, place])).toEqual([
      [100, "800000101"],
      [50, "800000151"],
    ]);
    await until(() => api.loadState(bot).pending === 0);
    api.say(bot, sarah, "later");
    await until(() => texts().length === 151);
  });

  test("knows at once whether there is a connection, and goes on from its place", async () => {
    const { api, bot, sarah, connect, texts, until, polls, told } = await setup();
    for (const text of ["one", "two", "three"]) api.say(bot, sarah, text);
    connect("800000003");
    await until(() => texts().length === 1 && polls() === 2);
    expect(texts()).toEqual(["three"]);
    expect(told).toEqual(["proved"]);
  });

  test("asks for reactions by name", async () => {
    const { api, bot, sarah, connect, taken, until, polls } = await setup();
    connect();
    await until(() => polls() === 2);
    api.say(bot, sarah, "Hi");
    api.react(bot, sarah, 1, "👍");
    await until(() => taken.flatMap(({ items }) => items).length === 2);
    expect(taken.flatMap(({ items }) => items)[1]).toMatchObject({ kind: "reacted", remote_id: "1", reactions: ["👍"] });
  });

  test("moves its place past what nobody understands", async () => {
    const { api, bot, sarah, connect, taken, until } = await setup();
    api.post(bot, sarah, { pinned_message: {} });
    connect();
    await until(() => taken.length === 1);
    expect(taken).toEqual([{ items: [], place: "800000002" }]);
  });

  test("answers presses once they are durable", async () => {
    const { api, bot, sarah, connect, taken, until, gate, polls } = await setup();
    connect();
    await until(() => polls() === 2);
    const keyboard = { inline_keyboard: [[{ text: "Yes", callback_data: "yes" }]] };
    await fetch(`${api.url}/bot${bot.token}/sendMessage`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ chat_id: sarah.id, text: "Well?", reply_markup: keyboard }),
    });
    const opened = Promise.withResolvers<void>();
    gate.open = opened.promise;
    api.press(bot, sarah, 1, "yes");
    await until(() => api.loadState(bot).pending === 1);
    expect(api.callbackAnswers()).toEqual([]);
    opened.resolve();
    await until(() => api.callbackAnswers().length === 1);
    expect(taken.at(-1)!.items).toMatchObject([{ kind: "pressed", data: "yes", remote_id: "1" }]);
  });

  test.each([
    [{ kind: "reset" }, "The connection broke before Telegram answered"],
    [{ kind: "status", status: 502 }, "Telegram answered with HTTP 502."],
    [{ kind: "garbage" }, "Telegram's answer could not be read."],
    [{ kind: "garbage", body: '{"ok":true,"result":{}}' }, "Telegram's answer could not be read."],
    [{ kind: "garbage", body: '{"ok":true,"result":[{}]}' }, "Telegram's answer could not be read."],
    [
      { kind: "error", error_code: 429, description: "Too Many Requests: retry after 3", parameters: { retry_after: 3 } },
      "Too Many Requests",
    ],
    [{ kind: "error", error_code: 400, description: "Bad Request: strange" }, "Bad Request: strange"],
  ] as const)("goes on after %j, and tells of it", async (fault, reason) => {
    const { api, bot, sarah, connect, texts, until, told, polls } = await setup();
    connect();
    await until(() => polls() === 2);
    api.fault(fault, { method: "getUpdates", times: 2 });
    api.say(bot, sarah, "one");
    await until(() => texts().length === 1);
    api.say(bot, sarah, "two");
    await until(() => texts().length === 2 && told.at(-1) === "proved");
    expect(told.find((line) => line.startsWith("failed"))).toContain(reason);
    expect(texts()).toEqual(["one", "two"]);
  });

  test("waits as long as Telegram asks for, and longer with each failure", async () => {
    const { api, connect, clock, until, told } = await setup();
    api.fault({ kind: "error", error_code: 429, description: "wait", parameters: { retry_after: 7 } }, { method: "getUpdates" });
    api.fault({ kind: "status", status: 500 }, { method: "getUpdates", times: 7 });
    connect();
    const waits: number[] = [];
    for (let failures = 1; failures <= 8; failures++) {
      await until(() => told.length === failures && clock.nextTimer() !== null, false);
      waits.push(clock.nextTimer()! - clock.now());
      clock.advance(waits.at(-1)!);
    }
    expect(waits).toEqual([7, 1, 2, 4, 8, 16, 30, 30].map((seconds) => seconds * 1_000));
    await until(() => told.at(-1) === "proved", false);
  });

  test("gives up when its token is accepted no more", async () => {
    const { api, bot, connect, until, polls, told, clock } = await setup();
    const connection = connect();
    await until(() => polls() === 2);
    api.revokeToken(bot);
    api.addBot();
    // A poll that waits is told of it by nobody: it ends when there is something, or with its time.
    api.fault({ kind: "reset" }, { method: "getUpdates" });
    await api.closeIdleConnections();
    await connection.close();
    const refused = connect();
    await until(() => told.includes("refused: Unauthorized"));
    const asked = polls();
    expect(clock.nextTimer()).toBeNull();
    await refused.close();
    expect(polls()).toBe(asked);
  });

  test("says what to do when another program polls with its token", async () => {
    const { api, bot, sarah, connect, until, told, polls, texts } = await setup();
    connect();
    await until(() => polls() === 2);
    const other = () => fetch(`${api.url}/bot${bot.token}/getUpdates?timeout=50`, { signal: AbortSignal.timeout(300) }).catch(() => null);
    for (let n = 0; n < 3 && !told.some((line) => line.includes(OTHER)); n++) {
      const before = polls();
      await Promise.all([other(), until(() => polls() >= before + 2)]);
    }
    expect(told.find((line) => line.startsWith("failed"))).toContain("Another program reads this bot's updates");
    api.say(bot, sarah, "Still there?");
    await until(() => texts().length === 1);
  });

  test("removes a webhook that was set before, and keeps what waits for it", async () => {
    const { api, bot, sarah, connect, until, texts, told } = await setup();
    await fetch(`${api.url}/bot${bot.token}/setWebhook?url=https://old.example/x`);
    api.routeWebhooks("http://127.0.0.1:1");
    api.say(bot, sarah, "While you were away");
    connect();
    await until(() => texts().length === 1);
    expect(told).toEqual(["proved"]);
  });

  test("ends at once when it is closed, in the middle of a poll or of a pause", async () => {
    const { api, connect, until, polls, told, clock } = await setup();
    const polling = connect();
    await until(() => polls() === 2);
    await polling.close();
    api.fault({ kind: "status", status: 500 }, { method: "getUpdates" });
    const pausing = connect();
    await until(() => told.some((line) => line.startsWith("failed")));
    await pausing.close();
    expect(clock.nextTimer()).toBeNull();
  });
});

describe("a bot with a webhook", () => {
  const webhookBase = "https://crm.example";
  const infoOf = async ({ api, bot }: Pick<Awaited<ReturnType<typeof setup>>, "api" | "bot">) =>
    ((await (await fetch(`${api.url}/bot${bot.token}/getWebhookInfo`)).json()) as { result: { url: string; allowed_updates: string[] } })
      .result;

  test("has it set to its own address, and set again when somebody changes it", async () => {
    const town = await setup({ webhookBase });
    const { api, bot, connect, told, until } = town;
    connect();
    await until(() => told.length === 1);
    expect(told).toEqual(["proved"]);
    expect(await infoOf(town)).toMatchObject({ url: "https://crm.example/telegram/1/10000", pending_update_count: 0 });
    expect((await infoOf(town)).allowed_updates).toContain("message_reaction");
    await fetch(`${api.url}/bot${bot.token}/setWebhook?url=https://other.example/x`);
    await until(() => (api.requests.by_method.setwebhook ?? 0) === 3);
    await until(() => told.length === 2);
    expect((await infoOf(town)).url).toBe("https://crm.example/telegram/1/10000");
  });

  test("proves every two minutes that it is there, and tells what Telegram tells of failures", async () => {
    const { api, bot, sarah, connect, told, until, clock } = await setup({ webhookBase });
    api.routeWebhooks("http://127.0.0.1:1");
    connect();
    await until(() => told.length === 1);
    const start = clock.now();
    await until(() => told.length === 2);
    expect([told.at(-1), Math.round((clock.now() - start) / 60_000)]).toEqual(["proved", 2]);
    api.say(bot, sarah, "Hi");
    await until(() => told.some((line) => line.startsWith("failed")));
    expect(told.find((line) => line.startsWith("failed"))).toContain("Telegram can't deliver this bot's updates to PUBLIC_URL: ");
  });

  test("is polled when Telegram does not take the address", async () => {
    const { api, bot, sarah, connect, texts, until } = await setup({ webhookBase: "http://crm.internal" });
    api.say(bot, sarah, "Hi");
    connect();
    await until(() => texts().length === 1);
  });

  test("gives up when its token is accepted no more", async () => {
    const { api, bot, connect, told, until } = await setup({ webhookBase });
    api.revokeToken(bot);
    connect();
    await until(() => told.includes("refused: Unauthorized"));
  });
});
