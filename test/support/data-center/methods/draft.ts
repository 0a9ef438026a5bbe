import type { Long, tl } from "@mtcute/core";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { type Draft, newMessage, aboutOf } from "#test/support/data-center/cloud/letters.ts";
import type { Letter, Peer, User } from "#test/support/data-center/cloud/model.ts";
import { boxFor, resolvePeer, updatesOf } from "#test/support/data-center/cloud/peers.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";

const TEXT_LENGTH_MAX = 4096;

/** What all methods that send have in common. */
export interface Outgoing {
  peer: tl.TypeInputPeer;
  replyTo?: tl.TypeInputReplyTo;
}

/** Where a message goes. @throws RpcFailure if it must not go there */
export function addressOf(cloud: Cloud, me: User, { peer, replyTo }: Outgoing): Pick<Draft, "from" | "to" | "replyTo" | "topicId"> {
  const to = resolvePeer(cloud, me, peer);
  requireWelcome(me, to);
  return { from: me, to, ...placeOf(me, to, replyTo) };
}

/** @throws RpcFailure if the text is none, or too much */
export function requireText(text: string): void {
  if (text === "") throw new RpcFailure(400, "MESSAGE_EMPTY");
  if (text.length > TEXT_LENGTH_MAX) throw new RpcFailure(400, "MESSAGE_TOO_LONG");
}

/** @throws RpcFailure if this account has sent something under this id before */
export function takeRandomId({ randomIds }: User, randomId: Long): void {
  const text = randomId.toString();
  if (randomIds.has(text)) throw new RpcFailure(500, "RANDOM_ID_DUPLICATE");
  randomIds.add(text);
}

/** Tells the sender which numbers the messages have got. */
export function sentUpdates(letters: Letter[], me: User): tl.RawUpdates {
  const updates = letters.flatMap((letter, index): tl.TypeUpdate[] => {
    const box = boxFor(letter.to, me);
    const pts = box.pts - (letters.length - 1 - index);
    const sent = newMessage(letter)(me, pts, 1);
    if (letter.randomId === undefined) return [sent];
    return [{ _: "updateMessageID", id: letter.ids.get(box) ?? 0, randomId: letter.randomId }, sent];
  });
  return updatesOf(updates, letters.flatMap(aboutOf), me);
}

/** @throws RpcFailure if someone must not write there */
export function requireWelcome(me: User, to: Peer): void {
  if (to.refusal !== undefined) throw new RpcFailure(to.refusal.code, to.refusal.text);
  if (to.kind !== "user") {
    if (to.successor !== undefined) throw new RpcFailure(400, "PEER_ID_INVALID");
    if (!to.members.has(me)) throw new RpcFailure(403, "CHAT_WRITE_FORBIDDEN");
    return;
  }
  if (to.isDeleted) throw new RpcFailure(400, "INPUT_USER_DEACTIVATED");
  if (to.blocked.has(me)) throw new RpcFailure(400, "USER_IS_BLOCKED");
  if (me.blocked.has(to)) throw new RpcFailure(400, "YOU_BLOCKED_USER");
}

/** What a message replies to, and the topic in which it stands. */
function placeOf(me: User, to: Peer, replyTo?: tl.TypeInputReplyTo): Pick<Draft, "replyTo" | "topicId"> {
  if (replyTo?._ !== "inputReplyToMessage") return {};
  const { replyToMsgId, topMsgId } = replyTo;
  const topic = to.kind === "user" ? undefined : to.topics.get(replyToMsgId);
  const letter = boxFor(to, me).letters.get(replyToMsgId);
  if (letter === undefined && topic === undefined) throw new RpcFailure(400, "REPLY_MESSAGE_ID_INVALID");
  const topicId = topic?.id ?? topMsgId ?? letter?.topicId;
  if (to.kind !== "user" && topicId !== undefined && to.topics.get(topicId)?.isClosed) throw new RpcFailure(400, "TOPIC_CLOSED");
  return {
    ...(topic === undefined && letter !== undefined && { replyTo: letter }),
    ...(topicId !== undefined && { topicId }),
  };
}
