import { describe, expect, test } from "bun:test";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Event } from "#src/modules/events/model.ts";
import type { Message } from "#src/modules/messages/model.ts";
import { appEngines } from "#test/support/app.ts";
import { type BotApp, setupWithTelegram } from "#test/support/bots.ts";
import { untilNews } from "#test/support/events.ts";
import { eventsOf } from "#test/support/scoring.ts";
import { queue, read } from "#test/support/sending.ts";

type Data = Message & { thread: { id: string; topic_id: string | null; title: string | null } };

const eventsNamed = async ({ app }: BotApp, name: Event["event"]) =>
  (await eventsOf(app.live)).filter(({ event }) => event === name).map(({ data }) => data as unknown as Data);
const received = (town: BotApp) => eventsNamed(town, "message.received");
const threadsOf = ({ app }: BotApp) => app.db.read.selectFrom("threads").selectAll().orderBy("id").execute();
const accountOf = async ({ app }: BotApp, { id }: Pick<Account, "id">) => (await app.live.get<Account>(`/v1/accounts/${id}`)).body;

/** Puts a button "Yes" under a message, as another program with the same token could. */
async function giveButton({ telegram }: BotApp, bot: { token: string }, message: object): Promise<void> {
  const reply_markup = { inline_keyboard: [[{ text: "Yes", callback_data: "yes" }]] };
  const body = JSON.stringify({ ...message, reply_markup });
  await fetch(`${telegram.url}/bot${bot.token}/editMessageReplyMarkup`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
}

describe.each(appEngines)("a bot that hears, on %s", (engine) => {
  const setup = () => setupWithTelegram(engine, { listens: true });

  test("makes a message, an event, a thread and a contact of what somebody writes, and answers there", async () => {
    await using town = await setup();
    const { account, bot } = await town.connect();
    const sarah = town.telegram.addPrivateChat(bot, { first_name: "Sarah", last_name: "Miller", username: "sarah_miller" });
    town.telegram.pressStart(bot, sarah, "ref-1");
    town.telegram.say(bot, sarah, "Is it still there?");
    await town.heard(bot);
    const [start, asked] = await received(town);
    expect(start).toMatchObject({ text: "/start ref-1", start_payload: "ref-1", account_id: account.id });
    expect(asked).toMatchObject({ text: "Is it still there?", direction: "in", thread: { title: "Sarah Miller", topic_id: null } });
    expect(asked!.sender).toMatchObject({ telegram_id: sarah.id, username: "sarah_miller" });
    expect((await town.app.live.get(`/v1/contacts/${asked!.contact_id!}`)).body).toMatchObject({ username: "sarah_miller" });
    const id = await queue(town.app.live, { account_id: account.id, to: asked!.contact_id!, reply_to: asked!.id });
    await town.app.settled();
    expect(await read(town.app.live, id)).toMatchObject({ status: "sent", contact_id: asked!.contact_id });
    expect(town.telegram.sent[0]).toMatchObject({ chat_id: sarah.id, reply_to: 2 });
    expect(await accountOf(town, account)).toMatchObject({ status: "connected", last_error: null });
  });

  test("takes edits, reactions and presses as what happens to messages", async () => {
    await using town = await setup();
    const { account, bot } = await town.connect();
    const { telegram, app } = town;
    const sarah = telegram.addPrivateChat(bot, { first_name: "Sarah" });
    telegram.say(bot, sarah, "Tusday");
    telegram.edit(bot, sarah, 1, { text: "Tuesday" });
    await town.heard(bot);
    await queue(app.live, { account_id: account.id, to: sarah.id, text: "At ten?" });
    await app.settled();
    await giveButton(town, bot, { chat_id: sarah.id, message_id: 2 });
    telegram.react(bot, sarah, 1, "👍");
    telegram.press(bot, sarah, 2, "yes");
    await town.heard(bot);
    await telegram.waitFor(() => telegram.callbackAnswers().length === 1);
    expect(await eventsNamed(town, "message.edited")).toMatchObject([{ text: "Tuesday" }]);
    expect(await eventsNamed(town, "message.reacted")).toMatchObject([{ text: "Tuesday", reactions: ["👍"] }]);
    expect(await eventsNamed(town, "message.button_pressed")).toMatchObject([
      { account_id: account.id, button: { data: "yes" }, by: { telegram_id: sarah.id } },
    ]);
  });

  test("keeps what files, places and cards tell, and which are one album", async () => {
    await using town = await setup();
    const { bot } = await town.connect();
    const { telegram } = town;
    const sarah = telegram.addPrivateChat(bot);
    telegram.sendFile(bot, sarah, { kind: "document", size: 12, name: "offer.pdf", type: "application/pdf", caption: "Our offer" });
    telegram.sendAlbum(bot, sarah, [{ kind: "photo" }, { kind: "video", size: 9 }]);
    telegram.shareLocation(bot, sarah, { latitude: 52.5, longitude: 13.25 });
    telegram.shareContact(bot, sarah, { phone_number: "+4930123", first_name: "Tom" });
    await town.heard(bot);
    const [file, photo, video, place, card] = await received(town);
    expect(file).toMatchObject({ text: "Our offer", attachments: [{ type: "document", name: "offer.pdf", size: 12 }] });
    expect(file!.attachments[0]!.file_id).toStartWith("fil_");
    expect([photo!.attachments[0]!.type, video!.attachments[0]!.type]).toEqual(["photo", "video"]);
    expect(photo!.album_id).toBe(video!.album_id);
    expect(place).toMatchObject({ text: "", location: { latitude: 52.5, longitude: 13.25 } });
    expect(card).toMatchObject({ contact_card: { phone: "+4930123", first_name: "Tom" } });
  });

  test("keeps the topics of a forum apart, by the names that they have now", async () => {
    await using town = await setup();
    const { bot } = await town.connect();
    const { telegram } = town;
    const forum = telegram.addGroup(bot, { type: "supergroup", title: "Crew", is_forum: true });
    const orders = telegram.createTopic(bot, forum, "Orders");
    const travel = telegram.createTopic(bot, forum, "Travel");
    telegram.say(bot, forum, "To everybody");
    telegram.say(bot, forum, "Two chairs", { topic: orders });
    telegram.renameTopic(bot, forum, orders, "Sales");
    telegram.say(bot, forum, "And a table", { topic: orders });
    telegram.say(bot, forum, "To Rome", { topic: travel });
    await town.heard(bot);
    const places = (await received(town)).map(({ text, thread, reply_to }) => [text, thread.topic_id, thread.title, reply_to]);
    expect(places).toEqual([
      ["To everybody", null, "Crew", null],
      ["Two chairs", String(orders), "Orders", null],
      ["And a table", String(orders), "Sales", null],
      ["To Rome", String(travel), "Travel", null],
    ]);
  });

  test("knows who has blocked it, who has put it out of a group, and where a group has gone", async () => {
    await using town = await setup();
    const { bot } = await town.connect();
    const { telegram, app } = town;
    const [sarah, tom] = [telegram.addPrivateChat(bot), telegram.addPrivateChat(bot)];
    const group = telegram.addGroup(bot, { type: "group", title: "Crew" });
    for (const chat of [sarah, tom, group]) telegram.say(bot, chat, "Hi");
    for (const chat of [sarah, tom]) telegram.block(bot, chat);
    telegram.unblock(bot, tom);
    const successor = telegram.migrate(bot, group);
    telegram.say(bot, successor, "Here now");
    const other = telegram.addGroup(bot, { type: "supergroup", title: "Others" });
    telegram.addToGroup(bot, other);
    telegram.removeFromGroup(bot, other);
    await town.heard(bot);
    const chats = await app.db.read.selectFrom("chats").select(["chat_id", "blocked_at"]).execute();
    const blocked = new Map(chats.map(({ chat_id, blocked_at }) => [chat_id, blocked_at !== null]));
    expect([sarah, tom, successor, other].map(({ id }) => blocked.get(String(id)))).toEqual([true, false, false, true]);
    const threads = await threadsOf(town);
    expect(threads.filter(({ title }) => title === "Crew").map(({ chat_id }) => chat_id)).toEqual([String(successor.id)]);
  });

  test("goes on from its place after a stop between two polls, and takes nothing twice", async () => {
    await using town = await setup();
    const { account, bot } = await town.connect();
    const { telegram, app } = town;
    const sarah = telegram.addPrivateChat(bot);
    await queue(app.live, { account_id: account.id, to: sarah.id });
    await app.settled();
    await giveButton(town, bot, { chat_id: sarah.id, message_id: 1 });
    // Taken, and not confirmed: the poll that would do so never arrives.
    await telegram.waitFor(() => (telegram.requests.by_method.getupdates ?? 0) >= 2);
    telegram.fault({ kind: "reset" }, { method: "getUpdates" });
    for (let n = 0; n < 3; n++) telegram.press(bot, sarah, 1, "yes");
    telegram.say(bot, sarah, "Yes!");
    const polls = () => telegram.requests.by_method.getupdates ?? 0;
    const before = polls();
    await telegram.waitFor(() => polls() > before);
    await app.services.connections.stop();
    expect(telegram.loadState(bot).pending).toBe(4);
    telegram.say(bot, sarah, "Hello?");
    await app.services.connections.start();
    await town.heard(bot);
    expect((await eventsNamed(town, "message.button_pressed")).length).toBe(3);
    expect((await received(town)).map(({ text }) => text)).toEqual(["Yes!", "Hello?"]);
  });

  test("is disconnected when its token is revoked, and hears again with a new one", async () => {
    await using town = await setup();
    const { account, bot } = await town.connect();
    const { telegram, app } = town;
    const sarah = telegram.addPrivateChat(bot);
    await telegram.waitFor(() => (telegram.requests.by_method.getupdates ?? 0) >= 2);
    telegram.say(bot, sarah, "one");
    telegram.revokeToken(bot);
    await untilNews(app, app.live, async () => (await accountOf(town, account)).status === "disconnected");
    await app.services.connections.settled();
    expect(await eventsNamed(town, "account.disconnected")).toMatchObject([{ id: account.id, status_reason: "Unauthorized" }]);
    expect(app.services.connections.stats().open).toBe(0);
    const again = telegram.addBot({ token: `${bot.id}:another-secret-of-the-bot`, username: bot.username });
    await app.live.patch(`/v1/accounts/${account.id}`, { token: again.token });
    telegram.say(again, sarah, "two");
    await town.heard(again);
    expect((await received(town)).map(({ text }) => text)).toEqual(["one", "two"]);
    expect((await accountOf(town, account)).status).toBe("connected");
  });

  test("hears for itself alone, and no more once it is removed", async () => {
    await using town = await setup();
    const { telegram, app } = town;
    const [first, second] = [await town.connect(), await town.connect()];
    const sarah = telegram.addPrivateChat(first.bot, { first_name: "Sarah" });
    telegram.say(first.bot, sarah, "to the first");
    telegram.say(second.bot, sarah, "to the second");
    await Promise.all([town.heard(first.bot), town.heard(second.bot)]);
    const heard = await received(town);
    expect(new Map(heard.map(({ account_id, text }) => [account_id, text]))).toEqual(
      new Map([
        [first.account.id, "to the first"],
        [second.account.id, "to the second"],
      ]),
    );
    expect(new Set(heard.map(({ contact_id }) => contact_id)).size).toBe(1);
    await app.live.delete(`/v1/accounts/${first.account.id}`);
    await app.services.connections.settled();
    expect(app.services.connections.stats().open).toBe(1);
    telegram.say(second.bot, sarah, "still there?");
    await town.heard(second.bot);
    expect((await received(town)).length).toBe(3);
  });

  test("keeps its token out of the log", async () => {
    await using town = await setup();
    const { bot } = await town.connect();
    const sarah = town.telegram.addPrivateChat(bot);
    await town.telegram.waitFor(() => (town.telegram.requests.by_method.getupdates ?? 0) >= 2);
    town.telegram.post(bot, sarah, { text: 5 });
    town.telegram.say(bot, sarah, "a private text");
    town.telegram.revokeToken(bot);
    await town.telegram.waitFor(() => (town.telegram.requests.by_method.getupdates ?? 0) >= 3);
    const log = town.app.log.join("");
    expect(log).not.toContain(bot.token.split(":")[1]!);
    expect(log).not.toContain("a private text");
  });
});
