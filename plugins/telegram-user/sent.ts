import { Long, type tl } from "@mtcute/core";
import type { Live } from "./live.ts";
import type { Target } from "./resolve.ts";

/** Where a message that was sent before is looked for. */
const RECENT_MAX = 30;

/** Takes in what an answer says has changed. @returns the id of the message with this random id, if it is in there */
export function takeIn(live: Live, answer: tl.TypeUpdates, randomId: Long): number | null {
  if (answer._ === "updateShortSentMessage") {
    const { id, pts, ptsCount } = answer;
    takeInChange(live, { pts, ptsCount, channelId: 0 });
    return id;
  }
  live.client.handleClientUpdate(answer, false);
  const updates = "updates" in answer ? answer.updates : [];
  const named = updates.find((one) => one._ === "updateMessageID" && one.randomId.eq(randomId));
  if (named?._ === "updateMessageID") return named.id;
  for (const one of updates) {
    if ((one._ === "updateNewMessage" || one._ === "updateNewChannelMessage") && one.message._ === "message") return one.message.id;
  }
  return null;
}

/** Takes in a change whose place in the order of updates alone matters. @param change `channelId` is 0 outside of channels */
export function takeInChange({ client }: Live, change: { pts: number; ptsCount: number; channelId: number }): void {
  // mtcute's own stand-in for such an update.
  const update = { _: "mtcute.dummyUpdate", ...change } as unknown as tl.TypeUpdate;
  client.handleClientUpdate({ _: "updates", seq: 0, date: 0, chats: [], users: [], updates: [update] }, false);
}

/** The newest message of ours that says this, since Telegram does not tell which one a random id was used for. */
export async function findSent(live: Live, target: Target, text: string, signal: AbortSignal): Promise<number | null> {
  const range = { offsetId: 0, offsetDate: 0, addOffset: 0, limit: RECENT_MAX, maxId: 0, minId: 0 };
  const answer = await live.call({ _: "messages.getHistory", peer: target.input, ...range, hash: Long.ZERO }, signal);
  const messages = "messages" in answer ? answer.messages : [];
  const ours = messages.filter((one) => one._ === "message").filter((one) => one.out === true && one.message === text);
  return ours.reduce<number | null>((newest, { id }) => Math.max(newest ?? 0, id), null);
}
