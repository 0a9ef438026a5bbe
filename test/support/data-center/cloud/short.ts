import type { tl } from "@mtcute/core";
import { make } from "#test/support/data-center/tl/make.ts";
import { presentMessage } from "./message.ts";
import type { Letter, User } from "./model.ts";

type Place = Pick<tl.RawUpdateNewMessage, "pts">;

/**
 * Of a text in a private conversation or a basic group Telegram says no more than it must, and nothing of who wrote it:
 * a client that does not know them asks for what it missed.
 */
export function shortNews(letter: Letter, viewer: User, { pts }: Place): tl.TypeUpdates | undefined {
  const message = textOf(letter, viewer);
  if (message === undefined) return undefined;
  const { id, out, date, message: text, replyTo, entities, peerId } = message;
  const said = { out, id, message: text, pts, ptsCount: 1, date, replyTo, entities };
  if (peerId._ === "peerUser") return make("updateShortMessage", { ...said, userId: peerId.userId });
  if (peerId._ === "peerChat") return make("updateShortChatMessage", { ...said, chatId: peerId.chatId, fromId: letter.from.id });
  return undefined;
}

/** What the sender of a private text is answered. */
export function shortSent(letter: Letter, { pts }: Place): tl.RawUpdateShortSentMessage | undefined {
  const message = textOf(letter, letter.from);
  if (message?.peerId._ !== "peerUser") return undefined;
  const { id, date, entities } = message;
  return make("updateShortSentMessage", { out: true, id, pts, ptsCount: 1, date, entities });
}

function textOf(letter: Letter, viewer: User): tl.RawMessage | undefined {
  const message = presentMessage(letter, viewer);
  return message._ === "message" && message.media === undefined ? message : undefined;
}
