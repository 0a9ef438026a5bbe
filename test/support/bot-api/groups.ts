import type { Emulation } from "./emulation.ts";
import type { Bot, Chat, Standing } from "./model.ts";
import { presentBot, presentPerson } from "./present.ts";
import type { Update } from "./updates.ts";
import { createWriting, type Writing } from "./writing.ts";

type BotRef = Pick<Bot, "token">;
type ChatRef = Pick<Chat, "id">;
type By = Pick<Writing, "from">;

/** What happens to groups and in them. Each makes its updates: a service message, a change of membership or both. */
export interface Groups {
  /** Somebody takes the bot into a group. */
  addToGroup(bot: BotRef, group: ChatRef, by?: By): void;
  /** Somebody puts the bot out of a group, or it has left. */
  removeFromGroup(bot: BotRef, group: ChatRef, how?: By & { left?: boolean }): void;
  memberJoins(bot: BotRef, group: ChatRef, person: ChatRef): void;
  memberLeaves(bot: BotRef, group: ChatRef, person: ChatRef): void;
  /** A group becomes a supergroup, whose chat this gives. */
  migrate(bot: BotRef, group: ChatRef): Chat;
  /** @returns the `message_thread_id` of a new topic */
  createTopic(bot: BotRef, forum: ChatRef, name: string, by?: By): number;
  renameTopic(bot: BotRef, forum: ChatRef, topic: number, name: string): Update;
  closeTopic(bot: BotRef, forum: ChatRef, topic: number): Update;
  reopenTopic(bot: BotRef, forum: ChatRef, topic: number): Update;
}

const TOPIC_COLOR = 7_322_096;

export function createGroups(emulation: Emulation): Groups {
  const { world, history, mailboxOf } = emulation;
  const { chatOf, writerOf, write } = createWriting(emulation);

  const change = (kind: "my_chat_member" | "chat_member", bot: BotRef, chat: Chat, members: [unknown, unknown], { from }: By) => {
    const [old_chat_member, new_chat_member] = members;
    const date = Math.floor(Date.now() / 1000);
    mailboxOf(bot).push({ [kind]: { chat, from: writerOf(chat, from), date, old_chat_member, new_chat_member } });
  };
  const botMember = ({ token }: BotRef, status: string) => {
    const bot = world.botOf(token);
    if (bot === undefined) throw new Error("there is no such bot");
    return { user: presentBot(bot), status, ...(status === "kicked" ? { until_date: 0 } : {}) };
  };
  const topicOf = (forum: ChatRef, id: number) => {
    const topic = world.topicsOf(forum).get(id);
    if (topic === undefined) throw new Error(`there is no topic ${id}`);
    return topic;
  };
  const addOpen = (bot: BotRef, chat: Parameters<typeof world.addChat>[0]) => {
    const record = world.addChat(chat);
    world.setStanding(bot, record, "open");
    return record;
  };
  return {
    addToGroup(bot, group, by = {}) {
      const chat = chatOf(group);
      world.setStanding(bot, chat, "open");
      const member = botMember(bot, "member");
      change("my_chat_member", bot, chat, [botMember(bot, "left"), member], by);
      write(bot, chat, { new_chat_members: [member.user], new_chat_member: member.user, new_chat_participant: member.user }, by);
    },
    removeFromGroup(bot, group, { left = false, ...by } = {}) {
      const chat = chatOf(group);
      const standing: Standing = left ? "left" : "kicked";
      world.setStanding(bot, chat, standing);
      change("my_chat_member", bot, chat, [botMember(bot, "member"), botMember(bot, standing)], by);
    },
    memberJoins(bot, group, person) {
      const user = presentPerson(chatOf(person));
      const members: [unknown, unknown] = [
        { user, status: "left" },
        { user, status: "member" },
      ];
      change("chat_member", bot, chatOf(group), members, { from: person });
      write(bot, group, { new_chat_members: [user] }, { from: person });
    },
    memberLeaves(bot, group, person) {
      const user = presentPerson(chatOf(person));
      const members: [unknown, unknown] = [
        { user, status: "member" },
        { user, status: "left" },
      ];
      change("chat_member", bot, chatOf(group), members, { from: person });
      write(bot, group, { left_chat_member: user }, { from: person });
    },
    migrate(bot, group) {
      const old = chatOf(group);
      const successor = addOpen(bot, { type: "supergroup", title: old.title ?? "" });
      write(bot, old, { migrate_to_chat_id: successor.id });
      write(bot, successor, { migrate_from_chat_id: old.id });
      world.migrations.set(old.id, successor.id);
      return successor;
    },
    createTopic(bot, forum, name, by) {
      const topic = history.nextId(bot, forum);
      world.topicsOf(forum).set(topic, { name, is_closed: false });
      const isOf = { message_thread_id: topic, is_topic_message: true };
      write(bot, forum, { ...isOf, forum_topic_created: { name, icon_color: TOPIC_COLOR } }, by);
      return topic;
    },
    renameTopic(bot, forum, topic, name) {
      topicOf(forum, topic).name = name;
      return write(bot, forum, { forum_topic_edited: { name } }, { topic });
    },
    closeTopic(bot, forum, topic) {
      topicOf(forum, topic).is_closed = true;
      return write(bot, forum, { forum_topic_closed: {} }, { topic });
    },
    reopenTopic(bot, forum, topic) {
      topicOf(forum, topic).is_closed = false;
      return write(bot, forum, { forum_topic_reopened: {} }, { topic });
    },
  };
}
