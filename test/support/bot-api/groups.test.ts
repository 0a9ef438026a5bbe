import { afterEach, describe, expect, test } from "bun:test";
import { Api, GrammyError } from "grammy";
import { startBotApi } from "./start.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function setup() {
  const api = await startBotApi();
  cleanups.push(() => api.stop());
  const bot = api.addBot();
  const sarah = api.addPrivateChat(bot, { first_name: "Sarah" });
  const client = new Api(bot.token, { apiRoot: api.url });
  await client.getUpdates({ allowed_updates: ["message", "my_chat_member", "chat_member"] });
  return { api, bot, sarah, client };
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

describe("membership", () => {
  test("a bot is taken into a group and put out of it, and hears of both", async () => {
    const { api, bot, sarah, client } = await setup();
    const group = api.addGroup(bot, { type: "supergroup", title: "Team" });
    api.addToGroup(bot, group, { from: sarah });
    api.removeFromGroup(bot, group, { from: sarah });
    const from = { id: sarah.id };
    const [left, member, kicked] = ["left", "member", "kicked"].map((status) => ({ status, user: { id: bot.id } }));
    expect(await client.getUpdates()).toMatchObject([
      { my_chat_member: { chat: { id: group.id, title: "Team" }, from, old_chat_member: left, new_chat_member: member } },
      { message: { from, new_chat_members: [{ id: bot.id, is_bot: true }] } },
      { my_chat_member: { from, old_chat_member: member, new_chat_member: kicked } },
    ]);
    expect(await refusal(client.sendMessage(group.id, "Hi"))).toBe("Forbidden: bot was kicked from the supergroup chat");
  });

  test("people come and go, which is a service message and a change of a member", async () => {
    const { api, bot, sarah, client } = await setup();
    const group = api.addGroup(bot, { type: "group", title: "Team" });
    api.memberJoins(bot, group, sarah);
    api.memberLeaves(bot, group, sarah);
    expect(await client.getUpdates()).toMatchObject([
      { chat_member: { old_chat_member: { status: "left" }, new_chat_member: { status: "member", user: { id: sarah.id } } } },
      { message: { new_chat_members: [{ id: sarah.id }] } },
      { chat_member: { new_chat_member: { status: "left" } } },
      { message: { left_chat_member: { id: sarah.id } } },
    ]);
    expect(await client.getChatMember(group.id, sarah.id)).toMatchObject({ status: "member", user: { id: sarah.id } });
  });

  test("a group that becomes a supergroup says so in both", async () => {
    const { api, bot, client } = await setup();
    const group = api.addGroup(bot, { type: "group", title: "Team" });
    const successor = api.migrate(bot, group);
    expect(await client.getUpdates()).toMatchObject([
      { message: { chat: { id: group.id }, migrate_to_chat_id: successor.id } },
      { message: { chat: { id: successor.id, type: "supergroup" }, migrate_from_chat_id: group.id } },
    ]);
  });
});

describe("forums", () => {
  test("a topic is opened by a message, which every other of it is a reply to", async () => {
    const { api, bot, sarah, client } = await setup();
    const forum = api.addGroup(bot, { type: "supergroup", title: "Help", is_forum: true });
    const topic = api.createTopic(bot, forum, "Invoices", { from: sarah });
    api.say(bot, forum, "Where is mine?", { from: sarah, topic });
    api.renameTopic(bot, forum, topic, "Bills");
    const inTopic = { message_thread_id: topic, is_topic_message: true };
    expect(await client.getUpdates()).toMatchObject([
      { message: { message_id: topic, chat: { is_forum: true }, ...inTopic, forum_topic_created: { name: "Invoices" } } },
      { message: { text: "Where is mine?", ...inTopic, reply_to_message: { forum_topic_created: { name: "Invoices" } } } },
      { message: { ...inTopic, forum_topic_edited: { name: "Bills" } } },
    ]);
  });

  test("a bot writes into a topic that is there and open", async () => {
    const { api, bot, client } = await setup();
    const forum = api.addGroup(bot, { type: "supergroup", title: "Help", is_forum: true });
    const topic = api.createTopic(bot, forum, "Invoices");
    const send = (message_thread_id: number) => client.sendMessage(forum.id, "Here", { message_thread_id });
    expect(await send(topic)).toMatchObject({ message_thread_id: topic, is_topic_message: true });
    expect(api.sent).toMatchObject([{ chat_id: forum.id, topic, reply_to: null }]);
    expect(await refusal(send(99))).toBe("Bad Request: message thread not found");
    api.closeTopic(bot, forum, topic);
    expect(await refusal(send(topic))).toBe("Bad Request: TOPIC_CLOSED");
    api.reopenTopic(bot, forum, topic);
    await send(topic);
    expect(api.sent).toHaveLength(2);
  });
});
