import type { tl } from "@mtcute/core";
import { MarkupFault } from "#src/core/markup-fault.ts";
import type { Outgoing, Refusal, SendResult } from "#src/modules/messages/channel.ts";
import { faultOf } from "./errors.ts";
import { format, type Formatted } from "./formatted.ts";
import type { Live } from "./live.ts";
import { mentionIn } from "./mention.ts";
import { keepMedia, mediaOf } from "./outgoing-media.ts";
import { randomIdOf } from "./random-id.ts";
import { failed, isPassing, isStalePeer, refusalOf } from "./refusal.ts";
import { followed, resolve, type Resolved, type Target } from "./resolve.ts";
import { findSent, takeIn } from "./sent.ts";
import { TooLarge } from "./upload.ts";

/** With the same random id a repetition has no effect, so that it can be tried at once. */
const TRIES_MAX = 3;
/** Telegram may have to fetch it first. */
const MEDIA_MS_MAX = 60_000;
const MESSAGE_ID = /^\d{1,10}$/;

/** Sends one message; when called again for the same one, it is not sent again. */
export async function sendMessage(live: Live, message: Outgoing, now: number, signal: AbortSignal): Promise<SendResult> {
  const fault = refuse(message);
  if (fault !== null) return fault;
  try {
    const resolved = await repeat(signal, () => resolve(live, message, now, signal));
    return await sendTo(message.reply_to === null ? await followed(live, resolved) : resolved);
  } catch (error) {
    if (isOurs(error)) return failed("message_rejected", `${error.message}.`);
    return refusalOf(error);
  }

  async function sendTo(resolved: Resolved, isAgain = false): Promise<SendResult> {
    if (resolved.kind !== "target") return resolved;
    const { target } = resolved;
    try {
      return sentAs(target, await repeat(signal, () => post(live, target, message, signal)));
    } catch (error) {
      if (isDuplicate(error)) return sentBefore(target);
      const answer = faultOf(error);
      if (isAgain || answer === null || !isStalePeer(answer)) throw error;
      await live.peers.forget(target.marked_id);
      return sendTo(await resolve(live, message, now, signal), true);
    }
  }

  async function sentBefore(target: Target): Promise<SendResult> {
    const { message: text } = await format(message.text, message.parse_mode, mentionIn(live));
    return sentAs(target, await findSent(live, target, text, signal).catch(() => []));
  }
}

function sentAs({ chat }: Target, ids: readonly number[]): SendResult {
  const [remote_id = null, ...others] = ids.map(String);
  return { kind: "sent", remote_id, ...(others.length > 0 && { others }), chat, reached: "sent" };
}

function refuse({ reply_to, topic_id, buttons }: Outgoing): Refusal | null {
  if (reply_to !== null && !MESSAGE_ID.test(reply_to)) return failed("message_rejected", "reply_to is not the id of a Telegram message.");
  if (topic_id !== null && !MESSAGE_ID.test(topic_id)) return failed("message_rejected", "topic_id is not the id of a topic.");
  return buttons.length > 0 ? failed("message_rejected", "User accounts can't send buttons: send this message with a bot.") : null;
}

/** Telegram would take nothing like it. */
class NotTaken extends Error {
  override name = "NotTaken";
}

const isDuplicate = (error: unknown) => faultOf(error)?.name === "RANDOM_ID_DUPLICATE";

const isOurs = (error: unknown): error is Error => error instanceof MarkupFault || error instanceof TooLarge || error instanceof NotTaken;

/** @throws what the last try got, and at once what another would get too */
async function repeat<T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      if (tries === TRIES_MAX || signal.aborted || !isPassing(error) || isDuplicate(error)) throw error;
    }
  }
}

async function post(live: Live, target: Target, message: Outgoing, signal: AbortSignal): Promise<number[]> {
  const { text, parse_mode, files, silent, id } = message;
  const formatted = await format(text, parse_mode, mentionIn(live));
  const common = { peer: target.input, silent, ...replyOf(message) };
  if (files.length > 1) return postAlbum(live, common, message, formatted, signal);
  const randomId = randomIdOf(id);
  const [file] = files;
  const answer =
    file === undefined
      ? await live.call({ _: "messages.sendMessage", ...common, ...formatted, randomId }, signal)
      : await live.call({ _: "messages.sendMedia", ...common, ...formatted, randomId, media: await mediaOf(live, file, signal) }, signal, {
          ms: MEDIA_MS_MAX,
        });
  return takeIn(live, answer, [randomId]);
}

/** The text is the caption of the first, which Telegram shows under all of them. */
async function postAlbum(
  live: Live,
  common: { peer: tl.TypeInputPeer; silent: boolean; replyTo?: tl.RawInputReplyToMessage },
  { id, files }: Outgoing,
  formatted: Formatted,
  signal: AbortSignal,
): Promise<number[]> {
  const multiMedia: tl.RawInputSingleMedia[] = [];
  for (const [part, file] of files.entries()) {
    const media = await keepMedia(live, common.peer, await mediaOf(live, file, signal), signal);
    if (media === null) throw new NotTaken(`Telegram makes nothing of file ${part + 1}.`);
    const caption = part === 0 ? formatted : { message: "" };
    multiMedia.push({ _: "inputSingleMedia", media, randomId: randomIdOf(id, part), ...caption });
  }
  const answer = await live.call({ _: "messages.sendMultiMedia", ...common, multiMedia }, signal, { ms: MEDIA_MS_MAX });
  return takeIn(
    live,
    answer,
    multiMedia.map(({ randomId }) => randomId),
  );
}

/** A forum's general topic is written to like the forum itself: https://core.telegram.org/api/forum#forum-topics */
function replyOf({ reply_to, topic_id }: Outgoing): { replyTo?: tl.RawInputReplyToMessage } {
  const topic = topic_id === null || topic_id === "1" ? null : Number(topic_id);
  const answered = reply_to === null ? topic : Number(reply_to);
  if (answered === null) return {};
  return { replyTo: { _: "inputReplyToMessage", replyToMsgId: answered, ...(topic !== null && { topMsgId: topic }) } };
}
