import type { tl } from "@mtcute/core";
import type { Outgoing, Refusal, SendResult } from "#src/modules/messages/channel.ts";
import { faultOf, SessionEnded } from "./errors.ts";
import type { Live } from "./live.ts";
import { randomIdOf } from "./random-id.ts";
import { failed, isPassing, isStalePeer, refusalOf } from "./refusal.ts";
import { resolve, type Resolved, type Target } from "./resolve.ts";
import { findSent, takeIn } from "./sent.ts";

/** With the same random id a repetition has no effect, so that it can be tried at once. */
const TRIES_MAX = 3;
const MESSAGE_ID = /^\d{1,10}$/;

/** Sends one message; when called again for the same one, it is not sent again. */
export async function sendMessage(live: Live, message: Outgoing, now: number, signal: AbortSignal): Promise<SendResult> {
  const fault = refuse(message);
  if (fault !== null) return fault;
  try {
    return await sendTo(await repeat(signal, () => resolve(live, message, now, signal)));
  } catch (error) {
    return refusalOf(error);
  }

  async function sendTo(resolved: Resolved, isAgain = false): Promise<SendResult> {
    if (resolved.kind !== "target") return resolved;
    const { target } = resolved;
    try {
      const id = await repeat(signal, () => post(live, target, message, signal));
      return { kind: "sent", remote_id: id === null ? null : String(id), chat: target.chat, reached: "sent" };
    } catch (error) {
      const answer = faultOf(error);
      if (answer?.name === "RANDOM_ID_DUPLICATE") return sentBefore(target);
      if (isAgain || answer === null || !isStalePeer(answer)) throw error;
      await live.peers.forget(target.marked_id);
      return sendTo(await resolve(live, message, now, signal), true);
    }
  }

  async function sentBefore(target: Target): Promise<SendResult> {
    const id = await findSent(live, target, message.text, signal).catch(() => null);
    return { kind: "sent", remote_id: id === null ? null : String(id), chat: target.chat, reached: "sent" };
  }
}

function refuse({ reply_to, topic_id, buttons }: Outgoing): Refusal | null {
  if (reply_to !== null && !MESSAGE_ID.test(reply_to)) return failed("message_rejected", "reply_to is not the id of a Telegram message.");
  if (topic_id !== null && !MESSAGE_ID.test(topic_id)) return failed("message_rejected", "topic_id is not the id of a topic.");
  return buttons.length > 0 ? failed("message_rejected", "User accounts can't send buttons: send this message with a bot.") : null;
}

/** @throws what the last try got, and at once what another would get too */
async function repeat<T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      const fault = faultOf(error);
      if (error instanceof SessionEnded) throw error;
      if (tries === TRIES_MAX || signal.aborted || !isPassing(fault) || fault?.name === "RANDOM_ID_DUPLICATE") throw error;
    }
  }
}

async function post(live: Live, { input }: Target, message: Outgoing, signal: AbortSignal): Promise<number | null> {
  const randomId = randomIdOf(message.id);
  const common = { peer: input, silent: message.silent, ...replyOf(message) };
  const answer = await live.call({ _: "messages.sendMessage", ...common, message: message.text, randomId }, signal);
  return takeIn(live, answer, randomId);
}

/** A forum's general topic is written to like the forum itself: https://core.telegram.org/api/forum#forum-topics */
function replyOf({ reply_to, topic_id }: Outgoing): { replyTo?: tl.RawInputReplyToMessage } {
  const topic = topic_id === null || topic_id === "1" ? null : Number(topic_id);
  const answered = reply_to === null ? topic : Number(reply_to);
  if (answered === null) return {};
  return { replyTo: { _: "inputReplyToMessage", replyToMsgId: answered, ...(topic !== null && { topMsgId: topic }) } };
}
