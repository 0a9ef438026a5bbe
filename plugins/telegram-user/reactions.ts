import { getMarkedPeerId, type tl } from "@mtcute/core";
import type { Inbound } from "#src/modules/connections/model.ts";
import { chatOf, type Described, personOf } from "./people.ts";

interface Context {
  self: number;
  now(): number;
}

/** https://core.telegram.org/api/reactions: Telegram tells of all reactions to the message, and of who put the last ones. */
export async function reactedOf(
  { peer, msgId, topMsgId, reactions }: tl.RawUpdateMessageReactions,
  look: (peer: tl.TypePeer) => Promise<Described | null>,
  { self, now }: Context,
): Promise<Inbound[]> {
  const chat = chatOf(peer, await look(peer));
  const topic = topMsgId === undefined ? null : { id: String(topMsgId), title: null };
  const common = { kind: "reacted" as const, chat, topic, at: now(), update_id: null, remote_id: String(msgId) };
  const others = (reactions.recentReactions ?? []).filter(({ peerId }) => getMarkedPeerId(peerId) !== self);
  const byPerson = Map.groupBy(others, ({ peerId }) => getMarkedPeerId(peerId));
  // In a private chat there is one other side: that it is not named means that it has taken its reactions back.
  if (peer._ === "peerUser" && !byPerson.has(peer.userId)) byPerson.set(peer.userId, []);
  const told: Inbound[] = [];
  for (const [id, theirs] of byPerson) {
    const sender = id > 0 ? personOf((await look({ _: "peerUser", userId: id })) ?? undefined) : null;
    told.push({ ...common, sender, reactions: theirs.map(({ reaction }) => nameOf(reaction)).filter((name) => name !== null) });
  }
  return told;
}

/** A custom emoji goes by its document's id. */
function nameOf(reaction: tl.TypeReaction): string | null {
  if (reaction._ === "reactionEmoji") return reaction.emoticon;
  if (reaction._ === "reactionCustomEmoji") return reaction.documentId.toString();
  return reaction._ === "reactionPaid" ? "⭐" : null;
}
