import type {
  CallbackQuery,
  Chat,
  ChatMember,
  ChatMemberUpdated,
  Message,
  MessageReactionUpdated,
  ReactionType,
  Update,
  User,
} from "grammy/types";
import type { Inbound, InboundChat } from "#src/modules/connections/model.ts";
import type { Person } from "#src/modules/messages/model.ts";
import { contactCardOf, isWordless, locationOf, startPayloadOf, textOf } from "./wording.ts";
import { filesOf } from "./files.ts";
import { plain } from "./plain.ts";

/** What a bot asks for, and all that is understood. Reactions come by name alone: https://core.telegram.org/bots/api#getupdates */
export const allowedUpdates = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "callback_query",
  "my_chat_member",
  "message_reaction",
] as const satisfies readonly (keyof Update)[];

/**
 * What an update tells: https://core.telegram.org/bots/api#update. One makes one thing at most; nothing where it is about what is
 * not kept, such as a service message.
 * @param now ms, for a press on a button, of which Telegram does not say when
 * @throws Error when it does not have the form of an update
 */
export function readUpdate(update: Update, now: number): Inbound[] {
  const update_id = idOf(update.update_id);
  const { message, edited_message, channel_post, edited_channel_post, callback_query, my_chat_member, message_reaction } = update;
  const sent = message ?? channel_post;
  if (sent !== undefined) return readMessage(sent, update_id);
  const edited = edited_message ?? edited_channel_post;
  if (edited !== undefined) return readEdited(edited, update_id);
  if (callback_query !== undefined) return readPress(callback_query, update_id, now);
  if (my_chat_member !== undefined) return [readReach(my_chat_member, update_id)];
  return message_reaction === undefined ? [] : [readReaction(message_reaction, update_id)];
}

function readMessage(message: Message, update_id: number): Inbound[] {
  const happened = happenedIn(message, update_id);
  if (message.migrate_to_chat_id !== undefined) return [{ kind: "moved", ...happened, to: String(idOf(message.migrate_to_chat_id)) }];
  const isTitled = message.forum_topic_created !== undefined || message.forum_topic_edited?.name !== undefined;
  if (isTitled) return happened.topic === null ? [] : [{ kind: "topic", ...happened }];
  const content = contentOf(message);
  return content === null ? [] : [{ kind: "received", ...happened, ...content }];
}

function readEdited(message: Message, update_id: number): Inbound[] {
  const content = contentOf(message);
  const at = msOf(message.edit_date ?? message.date);
  return content === null ? [] : [{ kind: "edited", ...happenedIn(message, update_id), at, ...content }];
}

/** Null of service messages, and of what this program can tell nothing of. */
function contentOf(message: Message) {
  const text = textOf(message);
  const files = filesOf(message);
  const location = locationOf(message);
  const contact_card = contactCardOf(message);
  if (text === "" && files.length === 0 && location === null && contact_card === null && !isWordless(message)) return null;
  return {
    ...{ text, files, location, contact_card },
    remote_id: String(idOf(message.message_id)),
    album_id: message.media_group_id ?? null,
    reply_to: replyOf(message),
    start_payload: startPayloadOf(text),
  };
}

/** In a topic, whatever replies to nothing is shown as a reply to the message that opened the topic. */
function replyOf({ reply_to_message: replied, is_topic_message, message_thread_id }: Message): string | null {
  if (replied === undefined) return null;
  const isOpening = replied.forum_topic_created !== undefined || (is_topic_message === true && replied.message_id === message_thread_id);
  return isOpening ? null : String(idOf(replied.message_id));
}

function happenedIn(message: Message, update_id: number) {
  return {
    chat: chatOf(message.chat),
    topic: topicOf(message),
    // Anonymous admins and channels write as a chat; who stands in `from` then is nobody: https://core.telegram.org/bots/api#message
    sender: message.sender_chat === undefined ? personOf(message.from) : null,
    at: msOf(message.date),
    update_id,
  };
}

/** Threads of replies have a number too, where there are no topics. */
function topicOf({ is_topic_message, message_thread_id, forum_topic_created, forum_topic_edited, reply_to_message }: Message) {
  if (is_topic_message !== true || message_thread_id === undefined) return null;
  const title = forum_topic_created?.name ?? forum_topic_edited?.name ?? reply_to_message?.forum_topic_created?.name;
  return { id: String(idOf(message_thread_id)), title: title === undefined ? null : plain(title) };
}

/** A message that the bot can no longer see is told by its chat and number alone; one that was sent by way of inline mode, not at all. */
function readPress({ data, message, from }: CallbackQuery, update_id: number, now: number): Inbound[] {
  if (data === undefined || message === undefined) return [];
  const happened = { chat: chatOf(message.chat), topic: topicOf(message), sender: personOf(from), at: now, update_id };
  return [{ kind: "pressed", ...happened, remote_id: String(idOf(message.message_id)), data: plain(data) }];
}

function readReach({ chat, from, date, new_chat_member }: ChatMemberUpdated, update_id: number): Inbound {
  const happened = { chat: chatOf(chat), topic: null, sender: personOf(from), at: msOf(date), update_id };
  return { kind: "reach", ...happened, reachable: canWrite(new_chat_member, chat.type) };
}

/** Whether the bot, which has this standing in a chat, may write there. */
function canWrite(member: ChatMember, type: Chat["type"]): boolean {
  switch (member.status) {
    case "creator":
      return true;
    case "administrator":
      return type !== "channel" || member.can_post_messages === true;
    case "member":
      return type !== "channel";
    case "restricted":
      return member.is_member && member.can_send_messages;
    case "left":
    case "kicked":
      return false;
    default:
      throw new TypeError("a member of no known standing");
  }
}

function readReaction({ chat, user, date, message_id, new_reaction }: MessageReactionUpdated, update_id: number): Inbound {
  const happened = { chat: chatOf(chat), topic: null, sender: personOf(user), at: msOf(date), update_id };
  return { kind: "reacted", ...happened, remote_id: String(idOf(message_id)), reactions: new_reaction.map(reactionOf) };
}

function reactionOf(reaction: ReactionType): string {
  switch (reaction.type) {
    case "emoji":
      return plain(reaction.emoji);
    case "custom_emoji":
      return plain(reaction.custom_emoji_id);
    case "paid":
      return "⭐";
    default:
      throw new TypeError("a reaction of no known kind");
  }
}

const chatTypes: ReadonlySet<string> = new Set(["private", "group", "supergroup", "channel"] satisfies InboundChat["type"][]);

function chatOf({ id, type, title, username, first_name, last_name }: Chat): InboundChat {
  if (!chatTypes.has(type)) throw new TypeError("a chat of no known type");
  const names = { title: orNull(title), username: orNull(username), first_name: orNull(first_name), last_name: orNull(last_name) };
  return { id: String(idOf(id)), type, ...names };
}

function personOf(user: User | undefined): Person | null {
  if (user === undefined) return null;
  const { id, username, first_name, last_name } = user;
  return { telegram_id: idOf(id), username: orNull(username), first_name: orNull(first_name), last_name: orNull(last_name) };
}

const orNull = (text: string | undefined) => (text === undefined || text === "" ? null : plain(text));
const msOf = (seconds: number) => idOf(seconds) * 1_000;

function idOf(value: number): number {
  if (!Number.isSafeInteger(value)) throw new TypeError("a number is expected, and there is none");
  return value;
}
