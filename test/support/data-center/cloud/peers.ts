import type { tl } from "@mtcute/core";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import type { Box } from "./box.ts";
import { unixTime, type Cloud } from "./cloud.ts";
import { presentGroup } from "./groups.ts";
import type { Group, Letter, Peer, User } from "./model.ts";
import { accessHash, presentStranger, presentUser, resolveUser } from "./users.ts";

/** The user or group that a client means. @throws RpcFailure if it may not know it */
export function resolvePeer(cloud: Cloud, me: User, input: tl.TypeInputPeer): Peer {
  const { users, groups } = cloud;
  if (input._ === "inputPeerChat") {
    const chat = groups.find("chat", input.chatId);
    if (chat === undefined || !chat.members.has(me)) throw new RpcFailure(400, "PEER_ID_INVALID");
    return chat;
  }
  if (input._ === "inputPeerChannel") return resolveChannel(groups, me, input);
  if (input._ === "inputPeerUserFromMessage") return resolveMet(cloud, me, input);
  return resolveUser(users, me, input);
}

/** The user whom a client has met in a group. @throws RpcFailure if it has not */
export function resolveMet(cloud: Cloud, me: User, input: tl.RawInputPeerUserFromMessage | tl.RawInputUserFromMessage): User {
  const letter = boxFor(resolvePeer(cloud, me, input.peer), me).letters.get(input.msgId);
  if (letter?.from.id !== input.userId) throw new RpcFailure(400, "PEER_ID_INVALID");
  return letter.from;
}

/** @throws RpcFailure if the client may not know the supergroup */
export function resolveChannel(groups: Cloud["groups"], me: User, input: tl.TypeInputChannel | tl.RawInputPeerChannel): Group {
  const channel = "accessHash" in input ? groups.find("channel", input.channelId) : undefined;
  const isKnown = channel !== undefined && "accessHash" in input && input.accessHash.eq(accessHash(me, channel));
  if (!isKnown) throw new RpcFailure(400, "CHANNEL_INVALID");
  if (!channel.members.has(me) && channel.username === undefined) throw new RpcFailure(400, "CHANNEL_PRIVATE");
  return channel;
}

export function presentPeer(peer: Peer): tl.TypePeer {
  if (peer.kind === "user") return { _: "peerUser", userId: peer.id };
  return peer.kind === "chat" ? { _: "peerChat", chatId: peer.id } : { _: "peerChannel", channelId: peer.id };
}

/** With whom someone has the conversation in which a letter stands. */
export function conversationOf({ from, to }: Pick<Letter, "from" | "to">, viewer: User): Peer {
  return to.kind === "user" && viewer !== from ? from : to;
}

/** The box in which someone has the conversation. */
export function boxFor(peer: Peer, viewer: User): Box {
  return peer.kind === "channel" ? peer.box : viewer.box;
}

/** The boxes of a conversation, with those who see into them. */
export function boxesOf({ from, to }: Pick<Letter, "from" | "to">): { box: Box; viewers: User[] }[] {
  if (to.kind === "channel") return [{ box: to.box, viewers: [...to.members] }];
  const owners = to.kind === "user" ? [from, to] : [from, ...to.members];
  return [...new Set(owners)].map((owner) => ({ box: owner.box, viewers: [owner] }));
}

/** The users and chats that come along with what speaks of them. */
export function presentAbout(about: Iterable<Peer>, viewer: User): { users: tl.TypeUser[]; chats: tl.TypeChat[] } {
  const users: tl.TypeUser[] = [];
  const chats: tl.TypeChat[] = [];
  for (const peer of new Set<Peer>([...about, viewer])) {
    if (peer.kind === "user") users.push(presentUser(peer, viewer));
    else chats.push(presentGroup(peer, viewer));
  }
  return { users, chats };
}

/** News from a supergroup, in which whoever is no contact comes as a stranger. */
export function channelUpdatesOf(updates: tl.TypeUpdate[], about: Iterable<Peer>, viewer: User): tl.RawUpdates {
  const peers = [...about];
  const strangers = new Set(peers.filter((peer) => peer.kind === "user" && peer !== viewer && !viewer.contacts.has(peer)));
  const known = updatesOf(
    updates,
    peers.filter((peer) => !strangers.has(peer)),
    viewer,
  );
  const met = [...strangers].flatMap((peer) => (peer.kind === "user" ? presentStranger(peer, viewer) : []));
  return { ...known, users: [...known.users, ...met] };
}

export function updatesOf(updates: tl.TypeUpdate[], about: Iterable<Peer>, viewer: User): tl.RawUpdates {
  return { _: "updates", updates, ...presentAbout(about, viewer), date: unixTime(), seq: 0 };
}
