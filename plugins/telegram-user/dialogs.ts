import { Long, type tl } from "@mtcute/core";
import type { Live } from "./live.ts";

const PAGE = 100;
const PAGES_MAX = 5;

type Listed = Exclude<tl.messages.TypeDialogs, tl.messages.RawDialogsNotModified>;
type Offset = Pick<tl.messages.RawGetDialogsRequest, "offsetDate" | "offsetId" | "offsetPeer">;

const FIRST: Offset = { offsetDate: 0, offsetId: 0, offsetPeer: { _: "inputPeerEmpty" } };

/**
 * Learns at the first connection which chats there are: whom the account has met, and how far each channel has come, since
 * Telegram tells what was missed in a channel only to who knows where they stopped. The newest 500 chats.
 * @throws what Telegram answers
 */
export async function learnChats(live: Live, signal: AbortSignal): Promise<void> {
  let from: Offset | null = FIRST;
  for (let page = 0; page < PAGES_MAX && from !== null; page += 1) {
    const listed = await list(live, from, signal);
    if (listed === null) return;
    await learn(live, channelsOf(listed));
    from = listed._ === "messages.dialogs" || listed.dialogs.length < PAGE ? null : nextOf(listed);
  }
}

/**
 * Tells mtcute of all channels how far they were read, before it begins. By itself it looks that up only while it catches up: a
 * channel it meets later would be read from its newest message on, and what came before would be lost.
 */
export function recallChannels({ client, storage }: Live): void {
  for (const [id, pts] of storage.channels()) if (client.updates?.cpts.has(id) === false) client.updates.cpts.set(id, pts);
}

/**
 * Asks after a time away which of the newest chats are channels that have gone on, and has them read from where they were.
 * @throws what Telegram answers
 */
export async function catchUpChannels(live: Live, signal: AbortSignal): Promise<void> {
  const listed = await list(live, FIRST, signal);
  const updates: tl.TypeUpdate[] = [];
  const channels = channelsOf(listed);
  for (const [channelId, known] of await learn(live, channels)) {
    if (known < (channels.get(channelId) ?? 0)) updates.push({ _: "updateChannelTooLong", channelId, pts: known });
  }
  if (updates.length > 0) live.client.handleClientUpdate({ _: "updates", updates, users: [], chats: [], date: 0, seq: 0 }, false);
}

/** @returns how far each channel was read: where nobody knew that, it is from now on */
async function learn({ client, storage }: Live, listed: Map<number, number>): Promise<Map<number, number>> {
  const inMtcute = client.updates?.cpts;
  const stored = storage.channels();
  const known = new Map([...listed].map(([id, pts]) => [id, inMtcute?.get(id) ?? stored.get(id) ?? pts]));
  const unknown = [...known].filter(([id]) => inMtcute?.has(id) !== true && !stored.has(id));
  for (const [id, pts] of unknown) inMtcute?.set(id, pts);
  await client.storage.updates.setManyChannelPts(new Map(unknown));
  return known;
}

async function list(live: Live, from: Offset, signal: AbortSignal): Promise<Listed | null> {
  const listed = await live.call({ _: "messages.getDialogs", ...from, limit: PAGE, hash: Long.ZERO }, signal);
  return listed._ === "messages.dialogsNotModified" ? null : listed;
}

function channelsOf(listed: Listed | null): Map<number, number> {
  const channels = new Map<number, number>();
  for (const dialog of listed?.dialogs ?? []) {
    if (dialog._ === "dialog" && dialog.peer._ === "peerChannel" && dialog.pts !== undefined)
      channels.set(dialog.peer.channelId, dialog.pts);
  }
  return channels;
}

function nextOf({ messages, chats }: Listed): Offset | null {
  const last = messages.at(-1);
  if (last === undefined || last._ === "messageEmpty") return null;
  const { id, date, peerId } = last;
  return { offsetDate: date, offsetId: id, offsetPeer: inputOf(peerId, chats) };
}

function inputOf(peer: tl.TypePeer, chats: readonly tl.TypeChat[]): tl.TypeInputPeer {
  if (peer._ === "peerChat") return { _: "inputPeerChat", chatId: peer.chatId };
  const channel = peer._ === "peerChannel" ? chats.find(({ id }) => id === peer.channelId) : undefined;
  if (channel?._ !== "channel" || channel.accessHash === undefined) return { _: "inputPeerEmpty" };
  return { _: "inputPeerChannel", channelId: channel.id, accessHash: channel.accessHash };
}
