import { Long, type tl } from "@mtcute/core";
import type { Live } from "./live.ts";
import type { Target } from "./resolve.ts";

/** Where a message that was sent before is looked for. */
const RECENT_MAX = 30;

/**
 * Takes in what an answer says has changed.
 * @returns the ids of the messages with these random ids, as far as they are in there
 */
export function takeIn(live: Live, answer: tl.TypeUpdates, randomIds: readonly Long[]): number[] {
  if (answer._ === "updateShortSentMessage") {
    const { id, pts, ptsCount } = answer;
    takeInChange(live, { pts, ptsCount, channelId: 0 });
    return [id];
  }
  live.client.handleClientUpdate(answer, false);
  const updates = "updates" in answer ? answer.updates : [];
  const named = updates.filter((one) => one._ === "updateMessageID");
  return randomIds.flatMap((randomId) => named.find((one) => one.randomId.eq(randomId))?.id ?? []);
}

/** Takes in a change whose place in the order of updates alone matters. @param change `channelId` is 0 outside of channels */
export function takeInChange({ client }: Live, change: { pts: number; ptsCount: number; channelId: number }): void {
  // mtcute's own stand-in for such an update.
  const update = { _: "mtcute.dummyUpdate", ...change } as unknown as tl.TypeUpdate;
  client.handleClientUpdate({ _: "updates", seq: 0, date: 0, chats: [], users: [], updates: [update] }, false);
}

/** The newest message of ours that says this, with its album, since Telegram does not tell which one a random id was used for. */
export async function findSent(live: Live, target: Target, text: string, signal: AbortSignal): Promise<number[]> {
  const range = { offsetId: 0, offsetDate: 0, addOffset: 0, limit: RECENT_MAX, maxId: 0, minId: 0 };
  const answer = await live.call({ _: "messages.getHistory", peer: target.input, ...range, hash: Long.ZERO }, signal);
  const messages = "messages" in answer ? answer.messages : [];
  const ours = messages.filter((one) => one._ === "message").filter((one) => one.out === true);
  // Telegram cuts off the white space around it.
  const newest = ours.filter((one) => one.message.trim() === text.trim()).toSorted((a, b) => b.id - a.id)[0];
  if (newest === undefined) return [];
  const { id, groupedId } = newest;
  const others = groupedId === undefined ? [] : ours.filter((one) => one.id !== id && one.groupedId?.eq(groupedId) === true);
  return [id, ...others.map((one) => one.id).toSorted((a, b) => a - b)];
}
