import { Long, type tl } from "@mtcute/core";
import type { Live } from "./live.ts";
import { OWN_BOX } from "./place.ts";

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
  for await (const listed of pagesOf(live, signal)) {
    live.storage.hear(OWN_BOX, newestOwnIn(listed));
    await learn(live, channelsOf(listed));
  }
}

/** The newest message in private chats and small groups, which are numbered together. @throws what Telegram answers */
export async function newestOwn(live: Live, signal: AbortSignal): Promise<number> {
  for await (const listed of pagesOf(live, signal)) {
    const newest = newestOwnIn(listed);
    if (newest > 0) return newest;
  }
  return 0;
}

async function* pagesOf(live: Live, signal: AbortSignal): AsyncGenerator<Listed> {
  let from: Offset | null = FIRST;
  for (let page = 0; page < PAGES_MAX && from !== null; page += 1) {
    const listed = await list(live, from, signal);
    if (listed === null) return;
    yield listed;
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
    if (known < (channels.get(channelId)?.pts ?? 0)) updates.push({ _: "updateChannelTooLong", channelId, pts: known });
  }
  if (updates.length > 0) live.client.handleClientUpdate({ _: "updates", updates, users: [], chats: [], date: 0, seq: 0 }, false);
}

/** @returns how far each channel was read: where nobody knew that, it is from now on */
async function learn({ client, storage }: Live, listed: Channels): Promise<Map<number, number>> {
  const inMtcute = client.updates?.cpts;
  const stored = storage.channels();
  const known = new Map([...listed].map(([id, { pts }]) => [id, inMtcute?.get(id) ?? stored.get(id) ?? pts]));
  for (const [id, { pts, newest }] of listed) if (known.get(id) === pts) storage.hear(id, newest);
  const unknown = [...known].filter(([id]) => inMtcute?.has(id) !== true && !stored.has(id));
  for (const [id, pts] of unknown) inMtcute?.set(id, pts);
  await client.storage.updates.setManyChannelPts(new Map(unknown));
  return known;
}

async function list(live: Live, from: Offset, signal: AbortSignal): Promise<Listed | null> {
  const listed = await live.call({ _: "messages.getDialogs", ...from, limit: PAGE, hash: Long.ZERO }, signal);
  return listed._ === "messages.dialogsNotModified" ? null : listed;
}

/** How far each has come, and its newest message. */
type Channels = Map<number, { pts: number; newest: number }>;

function channelsOf(listed: Listed | null): Channels {
  const channels: Channels = new Map();
  for (const dialog of listed?.dialogs ?? []) {
    if (dialog._ === "dialog" && dialog.peer._ === "peerChannel" && dialog.pts !== undefined)
      channels.set(dialog.peer.channelId, { pts: dialog.pts, newest: dialog.topMessage });
  }
  return channels;
}

function newestOwnIn({ dialogs }: Listed): number {
  const own = dialogs.filter((dialog) => dialog._ === "dialog" && dialog.peer._ !== "peerChannel");
  return Math.max(0, ...own.map(({ topMessage }) => topMessage));
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
