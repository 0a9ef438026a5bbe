import { Long, PeersIndex, type RawUpdateInfo, type tl } from "@mtcute/core";
import { toggleChannelIdMark } from "@mtcute/core/utils.js";
import type { Clock } from "#src/core/clock.ts";
import { newestOwn } from "./dialogs.ts";
import { faultOf } from "./errors.ts";
import type { Live } from "./live.ts";
import { OWN_BOX } from "./place.ts";
import { waitOf } from "./reading.ts";
import { isPassing } from "./refusal.ts";
import { inputOf } from "./resolve.ts";

/** What Telegram was asked too late to tell of, and is read from the histories instead. */
export interface Gaps {
  /** Reads all that is open, until it works. */
  read(): Promise<void>;
}

interface Needs {
  live: Live;
  clock: Clock;
  ended: AbortSignal;
  /** Tells of one message like of one that has just come. */
  tell(info: RawUpdateInfo): void;
  /** Nothing of it can be read. */
  giveUp(box: number, error: unknown): void;
}

type Found = Pick<tl.messages.RawMessages, "messages" | "users" | "chats">;

/** https://core.telegram.org/method/messages.getHistory takes no more at once */
const PAGE = 100;

/**
 * Of a channel Telegram tells of a hundred changes at most, and of an account too, once it was away for very long: beyond that it
 * says only how far things have come. https://core.telegram.org/api/updates#recovering-gaps
 */
export function createGaps({ live, clock, ended, tell, giveUp }: Needs): Gaps {
  const { storage } = live;
  let isReading = false;
  let cancel: () => void = () => undefined;
  ended.addEventListener("abort", () => cancel());

  async function read(): Promise<void> {
    cancel();
    if (isReading) return;
    isReading = true;
    try {
      for (let [gap] = storage.gaps(); gap !== undefined; [gap] = storage.gaps()) await fill(...gap);
    } catch (error) {
      if (!ended.aborted) cancel = clock.at(clock.now() + waitOf(error), () => void read());
    } finally {
      isReading = false;
    }
  }

  async function fill(box: number, after: number): Promise<void> {
    try {
      await (box === OWN_BOX ? fillOwn(after) : fillChannel(box, after));
    } catch (error) {
      if (ended.aborted || isPassing(error) || faultOf(error)?.code === 420) throw error;
      giveUp(box, error);
    }
    storage.fillGap(box, null);
  }

  /** Private chats and small groups number their messages together. */
  async function fillOwn(after: number): Promise<void> {
    const newest = await newestOwn(live, ended);
    for (let last = after; last < newest;) {
      const count = Math.min(PAGE, newest - last);
      const id = Array.from({ length: count }, (_, at) => ({ _: "inputMessageID", id: last + 1 + at }) as const);
      tellAll("updateNewMessage", await live.call({ _: "messages.getMessages", id }, ended));
      last += count;
      storage.fillGap(OWN_BOX, last);
    }
  }

  async function fillChannel(id: number, after: number): Promise<void> {
    const known = await live.peers.getById(toggleChannelIdMark(id));
    if (known === null) throw new Error("The account does not know the channel.");
    const range = { offsetDate: 0, addOffset: -PAGE, limit: PAGE, maxId: 0, hash: Long.ZERO };
    for (let last = after, isMore = true; isMore;) {
      const request = { _: "messages.getHistory", peer: inputOf(known), offsetId: last + 1, minId: last, ...range } as const;
      const ids = tellAll("updateNewChannelMessage", await live.call(request, ended));
      isMore = ids.length === PAGE;
      last = Math.max(last, ...ids);
      storage.fillGap(id, last);
    }
  }

  /** @returns the ids of the messages, which are told of from the oldest on */
  function tellAll(_: "updateNewMessage" | "updateNewChannelMessage", answer: Found | tl.messages.RawMessagesNotModified): number[] {
    if (!("messages" in answer)) return [];
    const peers = PeersIndex.from(answer);
    const messages = answer.messages.toSorted((a, b) => a.id - b.id);
    for (const message of messages) tell({ update: { _, message, pts: 0, ptsCount: 0 }, peers });
    return messages.map(({ id }) => id);
  }

  return { read };
}

/** The supergroup that a small group has just become: mtcute may have met it at its newest message. */
export function bornIn(update: tl.TypeUpdate): number | null {
  if (update._ !== "updateNewMessage" || update.message._ !== "messageService") return null;
  const { action } = update.message;
  return action._ === "messageActionChatMigrateTo" ? action.channelId : null;
}

/** Of whose box a new message is, and its number there; null of anything else. */
export function heardIn(update: tl.TypeUpdate): [box: number, id: number] | null {
  if (update._ === "updateNewMessage") return [OWN_BOX, update.message.id];
  if (update._ !== "updateNewChannelMessage") return null;
  const { id, peerId } = update.message;
  return peerId?._ === "peerChannel" ? [peerId.channelId, id] : null;
}
