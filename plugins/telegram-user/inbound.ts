import { getMarkedPeerId, type tl } from "@mtcute/core";
import type { RawUpdateInfo } from "@mtcute/core";
import type { Inbound, Received } from "#src/modules/connections/model.ts";
import type { Person } from "#src/modules/messages/model.ts";
import type { Log } from "#src/core/log.ts";
import type { Happening } from "./journal.ts";
import { enclosedOf } from "./media.ts";
import { chatOf, type Described, personOf } from "./people.ts";
import { reactedOf } from "./reactions.ts";
import type { AccountStorage } from "./storage.ts";
import { describe } from "./known.ts";

interface Context {
  storage: AccountStorage;
  self: number;
  log: Log;
  now(): number;
}

/** The topic that every forum has: https://core.telegram.org/api/forum#forum-topics */
const GENERAL_TOPIC = "1";

/**
 * Telegram itself writes from here, login codes among other things: whoever could read those could take the account, so they
 * never get beyond this door. https://core.telegram.org/api/auth#confirming-login
 */
const TELEGRAM_IDS = new Set([777_000, 42_777]);

/** What an update means to us; null where it means nothing. */
export function happeningOf({ update, peers }: RawUpdateInfo, context: Context): Happening | null {
  const look: Look = async (peer) => {
    const told: Described | undefined = peers.has(peer) ? peers.get(peer) : undefined;
    return told === undefined || ("min" in told && told.min) ? ((await describe(context.storage, peer)) ?? told ?? null) : told;
  };
  const make = readerOf(update, look, context);
  if (make === null) return null;
  return async () => {
    try {
      return await make();
    } catch (error) {
      context.log.error("An update could not be read", { update: update._, error: error instanceof Error ? error.name : "unknown" });
      return [];
    }
  };
}

type Look = (peer: tl.TypePeer) => Promise<Described | null>;

function readerOf(update: tl.TypeUpdate, look: Look, context: Context): (() => Promise<readonly Inbound[]>) | null {
  switch (update._) {
    case "updateNewMessage":
    case "updateNewChannelMessage":
      return () => read(update.message, "received", look, context);
    case "updateEditMessage":
    case "updateEditChannelMessage":
      return () => read(update.message, "edited", look, context);
    case "updateReadHistoryOutbox":
      return () => readUpTo(update.peer, update.maxId, look, context);
    case "updateReadChannelOutbox":
      return () => readUpTo({ _: "peerChannel", channelId: update.channelId }, update.maxId, look, context);
    case "updateMessageReactions":
      return () => reactedOf(update, look, context);
    default:
      return null;
  }
}

async function read(message: tl.TypeMessage, kind: "received" | "edited", look: Look, { self }: Context): Promise<readonly Inbound[]> {
  if (message._ === "messageEmpty" || isOfTelegram(message.peerId)) return [];
  const described = await look(message.peerId);
  const chat = chatOf(message.peerId, described);
  const at = message.date * 1_000;
  const common = { chat, at, update_id: null };
  if (message._ === "messageService") return kind === "received" ? serviceOf(message, common) : [];
  if (message.out === true || getMarkedPeerId(message.peerId) === self) return [];
  // Telegram itself has touched it, such as by counting its reactions: nobody has changed what they wrote.
  if (kind === "edited" && message.editHide === true) return [];
  const from = message.fromId ?? (message.peerId._ === "peerUser" ? message.peerId : null);
  const received: Omit<Received, "kind"> = {
    ...common,
    at: kind === "edited" ? (message.editDate ?? message.date) * 1_000 : at,
    sender: from === null ? null : await senderOf(from, look),
    ...threadOf(message.replyTo, described?._ === "channel" && described.forum === true),
    remote_id: String(message.id),
    text: message.message,
    start_payload: null,
    ...enclosedOf(message),
  };
  return [{ ...received, kind }];
}

const isOfTelegram = (peer: tl.TypePeer) => peer._ === "peerUser" && TELEGRAM_IDS.has(peer.userId);

/** @returns null where somebody writes as a chat */
async function senderOf(from: tl.TypePeer, look: Look): Promise<Person | null> {
  if (from._ !== "peerUser") return null;
  const person = personOf((await look(from)) ?? undefined);
  return person ?? { telegram_id: from.userId, username: null, first_name: null, last_name: null };
}

/** https://core.telegram.org/api/threads: in a forum an answer to a topic's first message is only a message of that topic. */
function threadOf(header: tl.TypeMessageReplyHeader | undefined, isForum: boolean): Pick<Received, "topic" | "reply_to"> {
  const general = isForum ? { id: GENERAL_TOPIC, title: null } : null;
  if (header?._ !== "messageReplyHeader") return { topic: general, reply_to: null };
  const { replyToMsgId, replyToTopId, forumTopic, replyToPeerId } = header;
  const answered = replyToMsgId === undefined || replyToPeerId !== undefined ? null : String(replyToMsgId);
  if (forumTopic !== true) return { topic: general, reply_to: answered };
  const topicId = replyToTopId ?? replyToMsgId;
  const topic = topicId === undefined ? general : { id: String(topicId), title: null };
  return { topic, reply_to: replyToTopId === undefined ? null : answered };
}

/** Of all that Telegram itself says in a chat: what a topic is called, and where a group has gone. */
function serviceOf({ id, action, replyTo }: tl.RawMessageService, common: Pick<Received, "chat" | "at" | "update_id">): Inbound[] {
  const happened = { ...common, sender: null, topic: null };
  if (action._ === "messageActionTopicCreate") return [{ ...happened, kind: "topic", topic: { id: String(id), title: action.title } }];
  if (action._ === "messageActionTopicEdit" && action.title !== undefined) {
    const header = replyTo?._ === "messageReplyHeader" ? replyTo : null;
    const topicId = header?.replyToTopId ?? header?.replyToMsgId;
    return topicId === undefined ? [] : [{ ...happened, kind: "topic", topic: { id: String(topicId), title: action.title } }];
  }
  if (action._ === "messageActionChatMigrateTo") {
    const to = String(getMarkedPeerId({ _: "peerChannel", channelId: action.channelId }));
    return [{ ...happened, kind: "moved", to }];
  }
  return [];
}

/** What was sent has been read. Telegram doesn't tell when: it is now. */
async function readUpTo(peer: tl.TypePeer, maxId: number, look: Look, { now }: Context): Promise<readonly Inbound[]> {
  const described = await look(peer);
  const sender = peer._ === "peerUser" ? await senderOf(peer, look) : null;
  return [{ kind: "read", chat: chatOf(peer, described), topic: null, sender, at: now(), update_id: null, up_to: String(maxId) }];
}
