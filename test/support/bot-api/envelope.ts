import { writableChat } from "./access.ts";
import { badRequest } from "./failure.ts";
import type { Chat, Message, Sent } from "./model.ts";
import type { Call } from "./methods/call.ts";
import { presentBot } from "./present.ts";
import { replyMarkupOf } from "./reply-markup.ts";

/** What all methods that send have in common: where to, under which message, with which buttons. */
export interface Envelope {
  chat: Chat;
  topic: number | null;
  reply_to: number | null;
  silent: boolean;
  reply_markup: Record<string, unknown> | null;
}

/** What a message is, and how it came. */
export interface Contents {
  shown: Record<string, unknown>;
  came: Pick<Sent, "text" | "caption" | "parse_mode" | "media" | "media_group_id">;
}

/** @throws BotApiFailure when the chat, the topic, the replied message or the buttons are not such that one could send */
export function envelopeOf({ bot, params, emulation }: Call): Envelope {
  const reply_markup = replyMarkupOf(params);
  const chat = writableChat(emulation.world, bot, params.text("chat_id"));
  const topic = params.integer("message_thread_id") ?? null;
  if (topic !== null) checkTopic(emulation.world.topicsOf(chat).get(topic));
  return { chat, topic, reply_to: repliedMessage(), silent: params.flag("disable_notification"), reply_markup };

  /** https://core.telegram.org/bots/api#replyparameters */
  function repliedMessage(): number | null {
    const reply = params.object("reply_parameters");
    if (reply === undefined) return null;
    const id = Number(reply.message_id);
    if (emulation.history.find(bot, chat, id) !== undefined) return id;
    if (reply.allow_sending_without_reply === true) return null;
    throw badRequest("message to be replied not found");
  }
}

function checkTopic(topic: { is_closed: boolean } | undefined): void {
  if (topic === undefined) throw badRequest("message thread not found");
  if (topic.is_closed) throw badRequest("TOPIC_CLOSED");
}

/** Puts a message of the bot into the chat and gives it as the Bot API shows it. */
export function post({ bot, emulation }: Call, envelope: Envelope, { shown, came }: Contents): Message {
  const { chat, topic, reply_to, silent, reply_markup } = envelope;
  const replied = emulation.history.find(bot, chat, reply_to ?? topic ?? 0);
  const message = emulation.history.add(bot, chat, {
    from: presentBot(bot),
    ...(topic === null ? {} : { message_thread_id: topic, is_topic_message: true }),
    ...(replied === undefined ? {} : { reply_to_message: withoutReply(replied) }),
    ...shown,
    ...(reply_markup?.inline_keyboard === undefined ? {} : { reply_markup }),
  });
  emulation.record(bot, message, { ...came, topic, reply_to, silent, reply_markup });
  return message;
}

/** A replied message is shown without the one that it replied to itself. */
export function withoutReply(message: Message): Message {
  const { reply_to_message: _, ...rest } = message;
  return rest;
}
