import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Update } from "grammy/types";
import { silentLog } from "#src/core/log.ts";
import { readBatch } from "#plugins/telegram-bot/batch.ts";
import { readUpdate } from "#plugins/telegram-bot/updates.ts";

const NOW = 1_800_000_000_000;
const sarah = { id: 5, is_bot: false, first_name: "Sarah", last_name: "Miller", username: "Sarah_Miller" };
const privateChat = { id: 5, type: "private", first_name: "Sarah", last_name: "Miller", username: "Sarah_Miller" };
const crew = { id: -100_7, type: "supergroup", title: "Crew" };
const person = { telegram_id: 5, username: "Sarah_Miller", first_name: "Sarah", last_name: "Miller" };
const nothing = { files: [], location: null, contact_card: null, album_id: null, reply_to: null, start_payload: null };

const read = (content: object) => readUpdate({ update_id: 9, ...content }, NOW);
const messageWith = (content: object) => ({ message_id: 3, date: 1_700_000_000, chat: privateChat, from: sarah, ...content });
const readMessage = (content: object) => read({ message: messageWith(content) });
const first = (content: object) => readMessage(content)[0]! as unknown as Record<string, unknown>;
const file = (more: object = {}) => ({ file_id: "f", file_unique_id: "u", file_size: 7, ...more });
const none = { name: null, mime: null, size: 7, width: null, height: null, duration: null, remote: "f", unique: "u" };

describe("a message", () => {
  test("tells who has written what to whom, and when", () => {
    expect(readMessage({ text: "Hi *there*", entities: [{ type: "bold", offset: 0, length: 2 }] })).toEqual([
      {
        ...nothing,
        kind: "received",
        chat: { id: "5", type: "private", title: null, username: "Sarah_Miller", first_name: "Sarah", last_name: "Miller" },
        topic: null,
        sender: person,
        at: 1_700_000_000_000,
        update_id: 9,
        remote_id: "3",
        text: "Hi *there*",
      },
    ]);
  });

  test("in a channel is nobody's", () => {
    const channel = { id: -100_8, type: "channel", title: "News", username: "news" };
    const told = { message_id: 3, date: 1, chat: channel, sender_chat: channel, text: "Out now" };
    const chat = { id: "-1008", type: "channel", title: "News", username: "news", first_name: null, last_name: null };
    expect(read({ channel_post: told })).toMatchObject([{ kind: "received", sender: null, chat, text: "Out now" }]);
    expect(read({ edited_channel_post: { ...told, edit_date: 2 } })).toMatchObject([{ kind: "edited", sender: null, at: 2_000 }]);
  });

  test("of an anonymous admin is nobody's, of another bot that bot's", () => {
    const anonymous = { id: 1_087_968_824, is_bot: true, first_name: "Group", username: "GroupAnonymousBot" };
    expect(first({ chat: crew, from: anonymous, sender_chat: crew, text: "x" })).toMatchObject({ sender: null, chat: { title: "Crew" } });
    const bot = { id: 77, is_bot: true, first_name: "Other", username: "other_bot" };
    expect(first({ chat: crew, from: bot, text: "x" })).toMatchObject({ sender: { telegram_id: 77, last_name: null } });
  });

  test.each([
    [
      "photo",
      { photo: [file({ file_id: "s", width: 90, height: 60 }), file({ file_id: "l", width: 900, height: 600 })] },
      { remote: "l", width: 900, height: 600, mime: "image/jpeg" },
    ],
    ["document", { document: file({ file_name: "a.pdf", mime_type: "application/pdf" }) }, { name: "a.pdf", mime: "application/pdf" }],
    ["video", { video: file({ width: 4, height: 3, duration: 8 }) }, { width: 4, height: 3, duration: 8 }],
    ["video", { live_photo: file({ width: 4, height: 3, duration: 2 }), photo: [] }, { width: 4, height: 3, duration: 2 }],
    [
      "video",
      { paid_media: { star_count: 1, paid_media: [{ type: "video", video: file({ width: 4, height: 3, duration: 8 }) }] } },
      { width: 4, height: 3, duration: 8 },
    ],
    ["voice", { voice: file({ duration: 5, mime_type: "audio/ogg" }) }, { duration: 5, mime: "audio/ogg" }],
    ["audio", { audio: file({ duration: 200, file_name: "a.mp3" }) }, { duration: 200, name: "a.mp3" }],
    ["animation", { animation: file({ width: 2, height: 2, duration: 1 }), document: file() }, { width: 2, height: 2, duration: 1 }],
    ["sticker", { sticker: file({ width: 512, height: 512 }) }, { width: 512, height: 512 }],
    ["video_note", { video_note: file({ length: 240, duration: 3 }) }, { width: 240, height: 240, duration: 3 }],
  ] as const)("has its %s", (type, content, more) => {
    expect(first(content)).toMatchObject({ ...nothing, text: "", files: [{ ...none, type, ...more }] });
  });

  test("has a caption as its text, and the album that it belongs to", () => {
    const told = { photo: [file({ width: 1, height: 1 })], caption: "Look", media_group_id: "139" };
    expect(first(told)).toMatchObject({ text: "Look", album_id: "139", files: [{ type: "photo" }] });
  });

  test("has a file whose size nobody knows", () => {
    expect(first({ document: { file_id: "f", file_unique_id: "u" } })).toMatchObject({
      files: [{ ...none, size: null, type: "document" }],
    });
  });

  test("has a place, and of a venue its name and address", () => {
    const location = { latitude: 52.5, longitude: 13.4 };
    expect(first({ location: { ...location, horizontal_accuracy: 3 } })).toMatchObject({ ...nothing, text: "", location });
    expect(first({ location, venue: { location, title: "Café", address: "Main St 1" } })).toMatchObject({
      text: "Café\nMain St 1",
      location,
    });
  });

  test("has the contact that somebody shares", () => {
    const contact = { phone_number: "+4930123", first_name: "Tom", user_id: 8, vcard: "BEGIN" };
    const card = { phone: "+4930123", first_name: "Tom", last_name: null, telegram_id: 8 };
    expect(first({ contact })).toMatchObject({ ...nothing, text: "", contact_card: card });
    expect(first({ contact: { phone_number: "+1", first_name: "T", last_name: "H" } })).toMatchObject({
      contact_card: { last_name: "H", telegram_id: null },
    });
  });

  test.each([
    [{ dice: { emoji: "🎲", value: 4 } }, "🎲"],
    [{ poll: { question: "When?", options: [{ text: "Now" }, { text: "Later" }] } }, "When?\n- Now\n- Later"],
    [{ checklist: { title: "Trip", tasks: [{ id: 1, text: "Pack" }] } }, "Trip\n- Pack"],
    [{ game: { title: "Tetris", description: "", photo: [] } }, "Tetris"],
    [
      {
        rich_message: {
          blocks: [
            { type: "heading", text: ["A ", { type: "bold", text: "B" }] },
            { type: "list", items: [{ blocks: [{ text: "C" }] }] },
          ],
        },
      },
      "A B\nC",
    ],
    [{ story: { id: 1, chat: crew } }, ""],
  ])("of another kind is told in words: %j", (content, text) => {
    expect(first(content)).toMatchObject({ ...nothing, kind: "received", text });
  });

  test.each([
    ["/start", null],
    ["/start ref-1_A", "ref-1_A"],
    ["/start@post_bot team", "team"],
    ["/start hello there", null],
    ["/started x", null],
    [" /start x", null],
    [`/start ${"x".repeat(65)}`, null],
  ])("%p was begun with the payload %p", (text, start_payload) => {
    expect(first({ text })).toMatchObject({ text, start_payload });
  });

  test("answers another", () => {
    expect(first({ text: "Yes", reply_to_message: messageWith({ message_id: 2, text: "?" }) })).toMatchObject({ reply_to: "2" });
  });

  test("keeps what both engines can keep of its text", () => {
    expect(first({ text: "a\0b\ud83d" })).toMatchObject({ text: "ab\ufffd" });
  });

  test.each([
    "new_chat_members",
    "left_chat_member",
    "new_chat_title",
    "new_chat_photo",
    "pinned_message",
    "group_chat_created",
    "migrate_from_chat_id",
    "forum_topic_closed",
    "video_chat_started",
    "successful_payment",
    "something_new",
  ])("about %s alone is none", (name) => {
    expect(readMessage({ chat: crew, [name]: {} })).toEqual([]);
  });
});

describe("a topic", () => {
  const inTopic = { chat: { ...crew, is_forum: true }, is_topic_message: true, message_thread_id: 12 };
  const opening = messageWith({ message_id: 12, forum_topic_created: { name: "Orders", icon_color: 1 } });

  test("has its title from its beginning, and from each change of it", () => {
    const topic = { id: "12", title: "Orders" };
    expect(readMessage({ ...inTopic, message_id: 12, forum_topic_created: { name: "Orders" } })).toMatchObject([{ kind: "topic", topic }]);
    expect(readMessage({ ...inTopic, forum_topic_edited: { name: "Sales" } })).toMatchObject([
      { kind: "topic", topic: { id: "12", title: "Sales" } },
    ]);
    expect(readMessage({ ...inTopic, forum_topic_edited: { icon_custom_emoji_id: "1" } })).toEqual([]);
  });

  test("is told with its messages, none of which answers the one that opened it", () => {
    expect(first({ ...inTopic, text: "x", reply_to_message: opening })).toMatchObject({
      topic: { id: "12", title: "Orders" },
      reply_to: null,
    });
    const withoutTitle = { ...inTopic, text: "x", reply_to_message: messageWith({ message_id: 12, text: "moved here" }) };
    expect(first(withoutTitle)).toMatchObject({ topic: { id: "12", title: null }, reply_to: null });
    expect(first({ ...inTopic, text: "x", reply_to_message: messageWith({ message_id: 13 }) })).toMatchObject({
      topic: { title: null },
      reply_to: "13",
    });
  });

  test("is not what a number of a thread of replies stands for", () => {
    const told = { chat: crew, message_thread_id: 12, text: "x", reply_to_message: messageWith({ message_id: 12 }) };
    expect(first(told)).toMatchObject({ topic: null, reply_to: "12" });
  });
});

describe("what happens besides", () => {
  test("an edit tells when it was made", () => {
    expect(read({ edited_message: messageWith({ text: "Hallo", edit_date: 1_700_000_005 }) })).toMatchObject([
      { kind: "edited", remote_id: "3", text: "Hallo", at: 1_700_000_005_000, sender: person, update_id: 9 },
    ]);
  });

  test("a press on a button tells the message, also one that is out of sight", () => {
    const press = { id: "1", from: sarah, chat_instance: "2", data: "yes" };
    const expected = { kind: "pressed", chat: { id: "5" }, remote_id: "3", data: "yes", at: NOW, sender: person, update_id: 9 };
    expect(read({ callback_query: { ...press, message: messageWith({ text: "?" }) } })).toMatchObject([expected]);
    expect(read({ callback_query: { ...press, message: { chat: privateChat, message_id: 3, date: 0 } } })).toMatchObject([expected]);
    expect(read({ callback_query: { ...press, inline_message_id: "i" } })).toEqual([]);
    expect(read({ callback_query: { id: "1", from: sarah, chat_instance: "2", game_short_name: "g", message: messageWith({}) } })).toEqual(
      [],
    );
  });

  test("a reaction tells all that are there now", () => {
    const reaction = { chat: privateChat, message_id: 3, user: sarah, date: 8, old_reaction: [] };
    const new_reaction = [{ type: "emoji", emoji: "👍" }, { type: "custom_emoji", custom_emoji_id: "54" }, { type: "paid" }];
    const expected = { kind: "reacted", remote_id: "3", at: 8_000, sender: person };
    expect(read({ message_reaction: { ...reaction, new_reaction } })).toMatchObject([{ ...expected, reactions: ["👍", "54", "⭐"] }]);
    expect(read({ message_reaction: { ...reaction, new_reaction: [] } })).toMatchObject([{ ...expected, reactions: [] }]);
    const anonymous = { ...reaction, user: undefined, actor_chat: crew, new_reaction: [] };
    expect(read({ message_reaction: anonymous })).toMatchObject([{ sender: null }]);
  });

  test.each([
    ["private", { status: "kicked" }, false],
    ["private", { status: "member" }, true],
    ["supergroup", { status: "left" }, false],
    ["supergroup", { status: "member" }, true],
    ["supergroup", { status: "administrator" }, true],
    ["supergroup", { status: "creator" }, true],
    ["supergroup", { status: "restricted", is_member: true, can_send_messages: true }, true],
    ["supergroup", { status: "restricted", is_member: true, can_send_messages: false }, false],
    ["supergroup", { status: "restricted", is_member: false, can_send_messages: true }, false],
    ["channel", { status: "administrator", can_post_messages: true }, true],
    ["channel", { status: "administrator", can_post_messages: false }, false],
    ["channel", { status: "member" }, false],
  ] as const)("in a %s a bot that is %j reaches it: %p", (type, member, reachable) => {
    const change = { chat: { ...privateChat, type }, from: sarah, date: 8, old_chat_member: {}, new_chat_member: member };
    expect(read({ my_chat_member: change })).toMatchObject([
      { kind: "reach", reachable, sender: person, at: 8_000, chat: { id: "5", type } },
    ]);
  });

  test("a group that moves tells where to", () => {
    const group = { id: -7, type: "group", title: "Crew" };
    expect(readMessage({ chat: group, migrate_to_chat_id: -100_7 })).toMatchObject([{ kind: "moved", chat: { id: "-7" }, to: "-1007" }]);
  });

  test("updates of kinds that nobody asked for make nothing", () => {
    expect(read({ chat_member: {} })).toEqual([]);
    expect(read({ poll: { id: "1" } })).toEqual([]);
    expect(read({})).toEqual([]);
  });
});

describe("a batch", () => {
  test("goes on behind what nobody understands", () => {
    const lines: unknown[] = [];
    const log = { ...silentLog, warn: (message: string, fields?: object) => void lines.push(message, fields) };
    const good = (update_id: number) => ({ update_id, message: messageWith({ text: "x" }) });
    const bad = [
      { update_id: 2, message: null },
      { update_id: 3, message: { ...messageWith({ text: "secret" }), chat: { id: "a", type: "private" } } },
      { update_id: 4, message: messageWith({ text: 5 }) },
      { update_id: 5, my_chat_member: {} },
      { update_id: 6, message: messageWith({ document: { file_id: null } }) },
      null,
      "x",
      { message: messageWith({ text: "y" }) },
    ];
    const batch = readBatch([good(1), ...bad, good(7)] as unknown as Update[], { env_id: 1, id: 2 }, NOW, log);
    expect(batch.items.map(({ update_id }) => update_id)).toEqual([1, 7]);
    expect(batch.last).toBe(7);
    expect(JSON.stringify(lines)).not.toContain("secret");
  });

  test("asks for an answer to each press, understood or not", () => {
    const presses = [{ update_id: 1, callback_query: { id: "a", from: sarah, chat_instance: "", inline_message_id: "i" } }];
    expect(readBatch(presses as Update[], { env_id: 1, id: 2 }, NOW, silentLog)).toEqual({ items: [], last: 1, presses: ["a"] });
  });

  test("never throws, whatever stands in it", () => {
    const names = ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"] as const;
    const members = [
      "chat",
      "from",
      "text",
      "photo",
      "document",
      "message_id",
      "date",
      "reply_to_message",
      "new_reaction",
      "message",
      "data",
    ];
    const thing = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: "small" }, fc.jsonValue(), fc.dictionary(fc.constantFrom(...members), tie("value"))),
    })).value;
    fc.assert(
      fc.property(fc.constantFrom(...names), thing, (name, value) => {
        const batch = readBatch([{ update_id: 1, [name]: value }], { env_id: 1, id: 2 }, NOW, silentLog);
        expect(batch.last).toBe(1);
      }),
    );
  });
});
