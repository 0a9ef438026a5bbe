import type { Box } from "./box.ts";
import { unixTime, type Cloud } from "./cloud.ts";
import type { ClientSession, Group, Letter, Peer, User } from "./model.ts";
import { boxFor, conversationOf, presentPeer, updatesOf } from "./peers.ts";

/** The letters that someone has of a conversation, oldest first, with their numbers there. */
export function lettersOf(peer: Peer, me: User): { id: number; letter: Letter }[] {
  const all = [...boxFor(peer, me).letters].map(([id, letter]) => ({ id, letter }));
  return peer.kind === "channel" ? all : all.filter(({ letter }) => conversationOf(letter, me) === peer);
}

export function unreadCount(peer: Peer, me: User): number {
  const { inbox } = me.box.readMarks(peer);
  return lettersOf(peer, me).filter(({ id, letter }) => letter.from !== me && id > inbox).length;
}

/**
 * Someone reads a conversation up to a message, which those are told who wrote it.
 * @param upTo its number; 0 for all
 * @param except the session that asked, which learns of it by the answer
 */
export function read(cloud: Cloud, me: User, peer: Peer, upTo: number, except?: ClientSession): void {
  const letters = lettersOf(peer, me).filter(({ id, letter }) => letter.from !== me && (upTo === 0 || id <= upTo));
  const marks = me.box.readMarks(peer);
  const last = letters.at(-1)?.id ?? 0;
  if (last <= marks.inbox) return;
  const fresh = letters.filter(({ id }) => id > marks.inbox).map(({ letter }) => letter);
  marks.inbox = last;
  if (peer.kind === "channel") readChannel(cloud, me, peer, last, fresh, except);
  else readPrivate(cloud, me, peer, last, fresh, except);
  cloud.changes.notify();
}

function readPrivate(cloud: Cloud, me: User, peer: Peer, maxId: number, fresh: Letter[], except?: ClientSession): void {
  const stillUnreadCount = unreadCount(peer, me);
  const inbox = me.box.happen(1, (_, pts, ptsCount) => ({
    _: "updateReadHistoryInbox",
    peer: presentPeer(peer),
    maxId,
    stillUnreadCount,
    pts,
    ptsCount,
  }));
  cloud.push(me, updatesOf([inbox.update(me)], [peer], me), except);
  for (const [writer, letters] of Map.groupBy(fresh, ({ from }) => from)) {
    const conversation = peer.kind === "user" ? me : peer;
    const read = lastIn(writer.box, letters);
    const marks = writer.box.readMarks(conversation);
    if (read <= marks.outbox) continue;
    marks.outbox = read;
    const outbox = writer.box.happen(1, (_, pts, ptsCount) => ({
      _: "updateReadHistoryOutbox",
      peer: presentPeer(conversation),
      maxId: read,
      pts,
      ptsCount,
    }));
    cloud.push(writer, updatesOf([outbox.update(writer)], [conversation], writer));
  }
}

function readChannel(cloud: Cloud, me: User, channel: Group, maxId: number, fresh: Letter[], except?: ClientSession): void {
  const { id: channelId, box } = channel;
  const inbox = { _: "updateReadChannelInbox", channelId, maxId, stillUnreadCount: unreadCount(channel, me), pts: box.pts } as const;
  cloud.push(me, updatesOf([inbox], [channel], me), except);
  for (const [writer, letters] of Map.groupBy(fresh, ({ from }) => from)) {
    const read = lastIn(box, letters);
    const marks = writer.box.readMarks(channel);
    if (read <= marks.outbox) continue;
    marks.outbox = read;
    cloud.push(writer, { _: "updateShort", update: { _: "updateReadChannelOutbox", channelId, maxId: read }, date: unixTime() });
  }
}

function lastIn(box: Box, letters: Letter[]): number {
  return Math.max(0, ...letters.map(({ ids }) => ids.get(box) ?? 0));
}
