import type { tl } from "@mtcute/core";
import { unixTime, type Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { Peer, User } from "#test/support/data-center/cloud/model.ts";
import { presentPeer } from "#test/support/data-center/cloud/peers.ts";

/** Shows the others of a conversation what someone is about. */
export function tellTyping(cloud: Cloud, from: User, to: Peer, action: tl.TypeSendMessageAction): void {
  const update = typingUpdate(from, to, action);
  const viewers = to.kind === "user" ? [to] : [...to.members].filter((member) => member !== from);
  for (const viewer of viewers) cloud.push(viewer, { _: "updateShort", update, date: unixTime() });
}

function typingUpdate(from: User, to: Peer, action: tl.TypeSendMessageAction): tl.TypeUpdate {
  if (to.kind === "user") return { _: "updateUserTyping", userId: from.id, action };
  const fromId = presentPeer(from);
  if (to.kind === "chat") return { _: "updateChatUserTyping", chatId: to.id, fromId, action };
  return { _: "updateChannelUserTyping", channelId: to.id, fromId, action };
}
