import { describe, expect, test } from "bun:test";
import { createWebhookSecrets } from "#plugins/telegram-bot/webhook.ts";
import type { Account } from "#src/modules/accounts/model.ts";
import { appEngines, SECRET, type TestApp } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import { eventsOf } from "#test/support/scoring.ts";

const webhookBase = "https://crm.example";

/** A bot whose updates come by webhook, through a door on loopback that stands for a proxy. */
async function setup(engine: (typeof appEngines)[number], wrapDatabase?: Parameters<typeof setupWithTelegram>[1]) {
  const town = await setupWithTelegram(engine, { listens: true, webhookBase, ...wrapDatabase });
  const door = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => town.app.fetch(request, "127.0.0.1") });
  town.telegram.routeWebhooks(door.url.origin);
  const { account, bot } = await town.connect();
  await town.telegram.waitFor(() => town.telegram.requests.by_method.setwebhook === 1);
  const sarah = town.telegram.addPrivateChat(bot, { first_name: "Sarah" });
  return {
    ...{ town, app: town.app, telegram: town.telegram, account, bot, sarah },
    async [Symbol.asyncDispose]() {
      await town[Symbol.asyncDispose]();
      await door.stop(true);
    },
  };
}

function post({ app }: { app: TestApp }, { id }: Pick<Account, "id">, update: unknown, secret?: string, env_id = app.live.env_id) {
  const shown = secret ?? createWebhookSecrets(SECRET)(env_id, id);
  const headers = { "content-type": "application/json", "x-telegram-bot-api-secret-token": shown };
  const body = JSON.stringify(update);
  return app.fetch(new Request(`http://localhost/telegram/${env_id}/${id}`, { method: "POST", headers, body }), "127.0.0.1");
}

const typesOf = async (app: TestApp) => (await eventsOf(app.live)).map(({ event }) => event).filter((type) => type.startsWith("message."));
const pressOf = (update_id: number) => ({
  update_id,
  callback_query: {
    id: "71",
    from: { id: 5, is_bot: false, first_name: "Sarah" },
    chat_instance: "1",
    data: "yes",
    message: { message_id: 1, date: 0, chat: { id: 5, type: "private", first_name: "Sarah" } },
  },
});

describe.each(appEngines)("updates that Telegram posts, on %s", (engine) => {
  test("land, and are durable once they are answered", async () => {
    await using place = await setup(engine);
    const { telegram, bot, sarah, town, app } = place;
    telegram.say(bot, sarah, "Hello");
    telegram.edit(bot, sarah, 1, { text: "Hallo" });
    await town.heard(bot);
    expect(await typesOf(app)).toEqual(["message.received", "message.edited"]);
  });

  test("land once, however often they come", async () => {
    await using place = await setup(engine);
    const { account, app } = place;
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(place, account, pressOf(9))));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(await answers[0]!.json()).toEqual({ method: "answerCallbackQuery", callback_query_id: "71" });
    expect((await post(place, account, pressOf(9))).status).toBe(200);
    expect((await post(place, account, pressOf(10))).status).toBe(200);
    expect(await typesOf(app)).toEqual(["message.button_pressed", "message.button_pressed"]);
  });

  test("are refused without the account's own secret, as at an address that there isn't", async () => {
    await using place = await setup(engine);
    const { account, app } = place;
    const other = await place.town.connect();
    const secrets = createWebhookSecrets(SECRET);
    const own = secrets(app.live.env_id, account.id);
    for (const secret of [
      "",
      "x",
      secrets(app.live.env_id, other.account.id),
      secrets(app.sandbox.env_id, account.id),
      own.slice(1),
      `${own}x`,
    ])
      expect((await post(place, account, pressOf(9), secret)).status).toBe(404);
    expect((await post(place, { id: Number.NaN }, pressOf(9), own)).status).toBe(404);
    expect(await typesOf(app)).toEqual([]);
    expect(app.log.join("")).not.toContain(own);
  });

  test("that nobody understands are taken and passed over, and what is none is refused", async () => {
    await using place = await setup(engine);
    const { account, app } = place;
    expect((await post(place, account, { update_id: 9, message: { text: "no more than that" } })).status).toBe(200);
    expect((await post(place, account, { update_id: 10, something_new: {} })).status).toBe(200);
    expect((await post(place, account, { message: {} })).status).toBe(422);
    expect((await post(place, account, [])).status).toBe(422);
    expect(await typesOf(app)).toEqual([]);
    expect(app.log.join("")).not.toContain("no more than that");
  });

  test("of an account that was removed are not there for anybody", async () => {
    await using place = await setup(engine);
    const { account, app } = place;
    await app.live.delete(`/v1/accounts/${account.id}`);
    expect((await post(place, account, pressOf(9))).status).toBe(404);
    expect(await typesOf(app)).toEqual([]);
  });
});

test("an update whose press is answered in the answer itself ends the person's clock", async () => {
  await using place = await setup("sqlite");
  const { telegram, bot, sarah, town, account, app } = place;
  await app.live.post("/v1/messages/send", { account_id: account.id, to: sarah.id, text: "Well?" });
  await app.settled();
  const body = JSON.stringify({
    chat_id: sarah.id,
    message_id: 1,
    reply_markup: { inline_keyboard: [[{ text: "Yes", callback_data: "yes" }]] },
  });
  const headers = { "content-type": "application/json" };
  await fetch(`${telegram.url}/bot${bot.token}/editMessageReplyMarkup`, { method: "POST", headers, body });
  telegram.press(bot, sarah, 1, "yes");
  await town.heard(bot);
  await telegram.waitFor(() => telegram.callbackAnswers().length === 1);
});
