import type { tl } from "@mtcute/core";
import { make } from "#test/support/data-center/tl/make.ts";
import { presentMedia } from "./files.ts";
import type { Letter, User } from "./model.ts";
import { boxFor, conversationOf, presentPeer } from "./peers.ts";
import { presentReactions } from "./reactions.ts";

/** The copy of a letter that someone has. */
export function presentMessage(letter: Letter, viewer: User): tl.RawMessage | tl.RawMessageService {
  const { from, to, date, action, text, entities, media, albumId, editDate } = letter;
  const isOut = from === viewer;
  const head = {
    id: letter.ids.get(boxFor(to, viewer)),
    out: isOut,
    // Who writes to someone in private is known from the conversation.
    fromId: to.kind === "user" && !isOut ? undefined : presentPeer(from),
    peerId: presentPeer(conversationOf(letter, viewer)),
    date,
    replyTo: presentReply(letter, viewer),
    reactions: presentReactions(letter, viewer),
  };
  if (action !== undefined) return make("messageService", { ...head, action });
  return make("message", { ...head, message: text, entities, media: media && presentMedia(media), groupedId: albumId, editDate });
}

function presentReply({ to, replyTo, topicId }: Letter, viewer: User): tl.RawMessageReplyHeader | undefined {
  const repliedId = replyTo?.ids.get(boxFor(to, viewer));
  if (repliedId === undefined && topicId === undefined) return undefined;
  return make("messageReplyHeader", {
    forumTopic: topicId !== undefined,
    replyToMsgId: repliedId ?? topicId,
    replyToTopId: repliedId === undefined ? undefined : topicId,
  });
}
