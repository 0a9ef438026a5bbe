import type { Box, Telling } from "./box.ts";
import type { Cloud } from "./cloud.ts";
import type { ClientSession, Letter, Peer, User } from "./model.ts";
import { boxesOf, updatesOf } from "./peers.ts";

/**
 * Takes letters out of someone's box, or with `revoke` out of all, and tells those who see into them.
 * @param options.session the one that asked, which learns of it by the answer
 */
export function deleteLetters(
  cloud: Cloud,
  letters: Letter[],
  own: Box,
  { revoke, session }: { revoke: boolean; session?: ClientSession },
): void {
  for (const same of Map.groupBy(letters, conversationKey).values()) {
    const [first] = same;
    if (first === undefined) continue;
    for (const { box, viewers } of boxesOf(first)) {
      if (!revoke && box !== own) continue;
      removeFrom(cloud, box, viewers, same, first.to, session);
    }
  }
  cloud.changes.notify();
}

function conversationKey({ from, to }: Letter): string {
  return to.kind === "user" ? [from.id, to.id].toSorted((a, b) => a - b).join(" and ") : `${to.kind} ${to.id}`;
}

function removeFrom(cloud: Cloud, box: Box, viewers: User[], letters: Letter[], conversation: Peer, except?: ClientSession): void {
  const ids = letters.flatMap((letter) => letter.ids.get(box) ?? []);
  if (ids.length === 0) return;
  for (const letter of letters) box.remove(letter);
  const event = box.happen(ids.length, deletedMessages(conversation, ids));
  for (const viewer of viewers) cloud.push(viewer, updatesOf([event.update(viewer)], [conversation], viewer), except);
}

function deletedMessages(conversation: Peer, messages: number[]): Telling {
  if (conversation.kind === "channel") {
    const channelId = conversation.id;
    return (_, pts, ptsCount) => ({ _: "updateDeleteChannelMessages", channelId, messages, pts, ptsCount });
  }
  return (_, pts, ptsCount) => ({ _: "updateDeleteMessages", messages, pts, ptsCount });
}
