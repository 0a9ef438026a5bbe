import { afterEach, describe, expect, test } from "bun:test";
import { Api, GrammyError } from "grammy";
import type { Update } from "grammy/types";
import { startBotApi, type BotApiOptions } from "./start.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function setup(options: BotApiOptions = {}) {
  const api = await startBotApi(options);
  cleanups.push(() => api.stop());
  const bot = api.addBot({ username: "post_bot" });
  const sarah = api.addPrivateChat(bot, { first_name: "Sarah", username: "sarah_miller" });
  const client = new Api(bot.token, { apiRoot: api.url });
  let offset = 0;
  /** Everything that happened since the last call, confirmed. */
  const updates = async (more: { allowed_updates?: Exclude<keyof Update, "update_id">[] } = {}) => {
    const got = await client.getUpdates({ offset, ...more });
    offset = (got.at(-1)?.update_id ?? offset - 1) + 1;
    return got;
  };
  return { api, bot, sarah, client, updates };
}

async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof GrammyError) return error.description;
    throw error;
  }
  throw new Error("the call did not fail");
}

const buttons = { inline_keyboard: [[{ text: "Yes", callback_data: "yes" }], [{ text: "Site", url: "https://example.com/" }]] };

describe("what people write", () => {
  test("a text with entities, a Start with a payload, a reply and an edit arrive as messages", async () => {
    const { api, bot, sarah, client, updates } = await setup();
    api.pressStart(bot, sarah, "spring");
    const { message_id } = await client.sendMessage(sarah.id, "Hello");
    api.say(bot, sarah, "Hi there", { reply_to: message_id, entities: [{ type: "bold", offset: 0, length: 2 }] });
    api.edit(bot, sarah, 3, { text: "Hi all" });
    const from = { id: sarah.id, is_bot: false, first_name: "Sarah", username: "sarah_miller" };
    expect(await updates()).toMatchObject([
      { message: { message_id: 1, from, text: "/start spring", entities: [{ type: "bot_command", offset: 0, length: 6 }] } },
      {
        message: {
          message_id: 3,
          chat: { id: sarah.id, type: "private" },
          text: "Hi there",
          entities: [{ type: "bold" }],
          reply_to_message: { message_id, text: "Hello", from: { is_bot: true } },
        },
      },
      { edited_message: { message_id: 3, from, text: "Hi all", edit_date: expect.any(Number) } },
    ]);
    expect(api.history(bot, sarah).map(({ text }) => text)).toEqual(["/start spring", "Hello", "Hi all"]);
  });

  test("locations, contacts and whatever else a message can hold arrive", async () => {
    const { api, bot, sarah, updates } = await setup();
    api.shareLocation(bot, sarah, { latitude: 52.5, longitude: 13.4 });
    api.shareContact(bot, sarah, { phone_number: "+4915112345678", first_name: "Tom" });
    api.post(bot, sarah, { dice: { emoji: "🎲", value: 4 } });
    expect(await updates()).toMatchObject([
      { message: { location: { latitude: 52.5, longitude: 13.4 } } },
      { message: { contact: { phone_number: "+4915112345678", first_name: "Tom" } } },
      { message: { dice: { value: 4 } } },
    ]);
  });

  test("a block refuses what is sent and an unblock takes it again, and the bot hears of both", async () => {
    const { api, bot, sarah, client, updates } = await setup();
    api.block(bot, sarah);
    expect(await refusal(client.sendMessage(sarah.id, "Hi"))).toBe("Forbidden: bot was blocked by the user");
    api.unblock(bot, sarah);
    await client.sendMessage(sarah.id, "Hi");
    const [member, kicked] = [{ status: "member", user: { id: bot.id } }, { status: "kicked" }];
    expect(await updates()).toMatchObject([
      { my_chat_member: { chat: { id: sarah.id }, from: { id: sarah.id }, old_chat_member: member, new_chat_member: kicked } },
      { my_chat_member: { old_chat_member: kicked, new_chat_member: member } },
    ]);
  });
});

describe("reactions and buttons", () => {
  test("reactions arrive once they are asked for, with what was there before", async () => {
    const { api, bot, sarah, client, updates } = await setup();
    const { message_id } = await client.sendMessage(sarah.id, "Hello");
    expect(api.react(bot, sarah, message_id, "🔥").update_id).toBe(0);
    expect(await updates({ allowed_updates: ["message", "message_reaction"] })).toEqual([]);
    api.react(bot, sarah, message_id, "👍");
    api.react(bot, sarah, message_id, null);
    expect(await updates()).toMatchObject([
      {
        message_reaction: {
          message_id,
          user: { id: sarah.id },
          old_reaction: [{ emoji: "🔥" }],
          new_reaction: [{ type: "emoji", emoji: "👍" }],
        },
      },
      { message_reaction: { old_reaction: [{ emoji: "👍" }], new_reaction: [] } },
    ]);
  });

  test("what was not asked for is left out, and an empty list brings the default back", async () => {
    const { api, bot, sarah, updates } = await setup();
    await updates({ allowed_updates: ["callback_query"] });
    api.say(bot, sarah, "unheard");
    expect(await updates()).toEqual([]);
    await updates({ allowed_updates: [] });
    api.say(bot, sarah, "heard");
    expect(await updates()).toMatchObject([{ message: { text: "heard" } }]);
  });

  test("a pressed button brings a query with its message, which is answered once", async () => {
    const { api, bot, sarah, client, updates } = await setup();
    const { message_id } = await client.sendMessage(sarah.id, "Do you come?", { reply_markup: buttons });
    expect(() => api.press(bot, sarah, message_id, "no")).toThrow("there is no button no");
    api.press(bot, sarah, message_id, "yes");
    const [update] = await updates();
    expect(update).toMatchObject({
      callback_query: { from: { id: sarah.id }, data: "yes", message: { message_id, text: "Do you come?", reply_markup: buttons } },
    });
    const id = update?.callback_query?.id ?? "";
    await client.answerCallbackQuery(id, { text: "Thanks" });
    expect(api.callbackAnswers()).toMatchObject([{ token: bot.token, callback_query_id: id, text: "Thanks", show_alert: false }]);
    expect(await refusal(client.answerCallbackQuery(id))).toContain("query is too old and response timeout expired");
  });

  test("buttons that Telegram would not show are refused", async () => {
    const { sarah, client } = await setup();
    const send = (button: Record<string, unknown>) =>
      refusal(client.sendMessage(sarah.id, "x", { reply_markup: { inline_keyboard: [[{ text: "x", ...button } as never]] } }));
    expect(await send({ callback_data: "ä".repeat(33) })).toBe("Bad Request: BUTTON_DATA_INVALID");
    expect(await send({})).toContain("Text buttons are unallowed in the inline keyboard");
    expect(await send({ url: "ftp://example.com" })).toBe(
      "Bad Request: inline keyboard button URL 'ftp://example.com' is invalid: Unsupported URL protocol",
    );
    expect(await send({ url: "localhost" })).toBe("Bad Request: inline keyboard button URL 'localhost' is invalid: Wrong HTTP URL");
  });
});

describe("markup", () => {
  test("is applied to what is shown and kept as it came in what was sent, and refused when it is wrong", async () => {
    const { api, sarah, client } = await setup();
    const sent = await client.sendMessage(sarah.id, "<b>Hi</b> &amp; bye", { parse_mode: "HTML" });
    expect(sent).toMatchObject({ text: "Hi & bye", entities: [{ type: "bold", offset: 0, length: 2 }] });
    expect(api.sent).toMatchObject([{ text: "<b>Hi</b> &amp; bye", parse_mode: "HTML" }]);
    const plain = client.sendMessage(sarah.id, "Hi.", { parse_mode: "MarkdownV2" });
    expect(await refusal(plain)).toBe(
      "Bad Request: can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
    );
    expect(await refusal(client.sendMessage(sarah.id, "<b> </b>", { parse_mode: "HTML" }))).toBe("Bad Request: message text is empty");
  });
});

describe("edits and deletions by the bot", () => {
  test("a message is changed with its buttons, but not into what it is, and only the bot's own", async () => {
    const { api, bot, sarah, client } = await setup();
    const { message_id } = await client.sendMessage(sarah.id, "Hello", { reply_markup: buttons });
    expect(await client.editMessageText(sarah.id, message_id, "Bye")).toMatchObject({ text: "Bye", edit_date: expect.any(Number) });
    expect(api.history(bot, sarah)[0]?.reply_markup).toBeUndefined();
    await client.editMessageReplyMarkup(sarah.id, message_id, { reply_markup: buttons });
    expect(api.history(bot, sarah)).toMatchObject([{ text: "Bye", reply_markup: buttons }]);
    const same = client.editMessageText(sarah.id, message_id, "Bye", { reply_markup: buttons });
    expect(await refusal(same)).toStartWith("Bad Request: message is not modified: specified new message content");
    expect(await refusal(client.editMessageText(sarah.id, 99, "x"))).toBe("Bad Request: message to edit not found");
    api.say(bot, sarah, "mine");
    expect(await refusal(client.editMessageText(sarah.id, 2, "x"))).toBe("Bad Request: message can't be edited");
    expect(await refusal(client.editMessageCaption(sarah.id, message_id))).toBe("Bad Request: there is no caption in the message to edit");
  });

  test("messages are deleted, one or many, and those that are not there are passed over", async () => {
    const { api, bot, sarah, client } = await setup();
    for (const text of ["1", "2", "3"]) await client.sendMessage(sarah.id, text);
    await client.deleteMessage(sarah.id, 1);
    expect(await refusal(client.deleteMessage(sarah.id, 1))).toBe("Bad Request: message to delete not found");
    await client.deleteMessages(sarah.id, [1, 2]);
    expect(api.history(bot, sarah)).toMatchObject([{ message_id: 3 }]);
  });
});
