import { beforeAll, describe, expect, test } from "bun:test";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Message } from "#src/modules/messages/model.ts";
import type { Caller } from "#test/support/client.ts";
import { executable } from "#test/support/executable.ts";
import { eventsOf } from "#test/support/scoring.ts";
import { eventually, messageWhen } from "./api.ts";
import { startLive } from "./live.ts";

beforeAll(() => executable(), 60_000);

const received = async (caller: Caller) =>
  (await eventsOf(caller)).filter(({ event }) => event === "message.received").map(({ data }) => data as unknown as Message);
const heardBy = (caller: Caller, count: number) =>
  eventually(
    "messages do not come",
    () => received(caller),
    (messages) => messages.length === count,
  );

describe("a bot", () => {
  test("hears what somebody writes, and answers it", async () => {
    await using live = await startLive();
    const { telegram, caller, bot, account } = live;
    const sarah = telegram.addPrivateChat(bot, { first_name: "Sarah", username: "Sarah_Miller" });
    telegram.say(bot, sarah, "Is it still there?");
    const [asked] = await heardBy(caller, 1);
    expect(asked).toMatchObject({ text: "Is it still there?", account_id: account, sender: { telegram_id: sarah.id } });
    const { body } = await caller.post<Message>("/v1/messages/send", {
      ...{ account_id: account, to: "@sarah_miller", text: "It is" },
      reply_to: asked!.id,
    });
    await messageWhen(caller, body.id, ({ status }) => status === "sent");
    expect(telegram.sent).toMatchObject([{ chat_id: sarah.id, text: "It is", reply_to: 1 }]);
  });

  test("takes each of 200 messages once when the program is killed among them", async () => {
    await using live = await startLive();
    const { telegram, bot } = live;
    const people = telegram.addPrivateChats(bot, 10);
    telegram.startLoad({ bot, chats: people, per_second: 200, seconds: 1 });
    await telegram.waitFor(() => telegram.loadState(bot).made >= 60);
    await live.posthouse.stop("SIGKILL");
    const second = await live.restart();
    await second.posthouse.stop("SIGKILL");
    const { caller } = await live.restart();
    await telegram.waitFor(() => telegram.loadState(bot).is_over && telegram.loadState(bot).pending === 0, 20_000);
    const numbers = (await received(caller)).map(({ text }) => Number(text.split(" ")[1])).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
  });

  test("hears by webhook where PUBLIC_URL is https, and by polling again where it is not", async () => {
    await using live = await startLive({ env: { PUBLIC_URL: "https://crm.example" } });
    const { telegram, caller, bot, posthouse, account } = live;
    telegram.routeWebhooks(posthouse.url);
    const sarah = telegram.addPrivateChat(bot);
    await telegram.waitFor(() => telegram.requests.by_method.setwebhook === 1);
    telegram.say(bot, sarah, "by webhook");
    await heardBy(caller, 1);
    expect(telegram.requests.by_method.getupdates).toBeUndefined();
    expect((await caller.get<Account>(`/v1/accounts/${account}`)).body).toMatchObject({ status: "connected", last_error: null });
    await posthouse.stop();
    telegram.say(bot, sarah, "while it was away");
    const again = await live.restart({ env: { TELEGRAM_API_ROOT: telegram.url } });
    const heard = await heardBy(again.caller, 2);
    expect(heard.map(({ text }) => text)).toEqual(["by webhook", "while it was away"]);
    expect(telegram.requests.by_method.deletewebhook).toBe(1);
  });

  test("polls beside many others, and leaves room for sends", async () => {
    await using live = await startLive();
    const { telegram, caller, account, bot } = live;
    for (let number = 0; number < 300; number++) {
      const { status } = await caller.post("/v1/accounts", { kind: "telegram_bot", token: telegram.addBot().token });
      expect(status).toBe(201);
    }
    await telegram.waitFor(() => (telegram.requests.by_method.getupdates ?? 0) >= 602, 20_000);
    const sarah = telegram.addPrivateChat(bot);
    telegram.say(bot, sarah, "Anybody there?");
    const { body } = await caller.post<Message>("/v1/messages/send", { account_id: account, to: sarah.id, text: "Yes" });
    await messageWhen(caller, body.id, ({ status }) => status === "sent");
    await heardBy(caller, 1);
  }, 60_000);
});
