import type { Tx } from "#src/core/tx.ts";
import type { Channel, Limit } from "./channel.ts";

/** Chats whose next time is remembered; past this the estimate leaves them out. */
const CHATS_MAX = 10_000;

interface Needs {
  /** The eta of the last job that waits in a lane. */
  lastEta(tx: Tx, env_id: number, lane: string, now: number): Promise<number | null>;
}

/** What is asked for. */
interface Place {
  env_id: number;
  lane: string;
  recipient: string;
  accountLimits: readonly Limit[];
  chatLimits: readonly Limit[];
}

/** Tells when an account's own pacing will let a message go. An estimate: holds and other copies are not in it. */
export function createEstimator({ lastEta }: Needs) {
  const lanes = new Map<string, number>();
  const chats = new Map<string, number>();

  async function estimate(tx: Tx, place: Place, now: number) {
    const lane = `${place.env_id} ${place.lane}`;
    const chat = `${lane} ${place.recipient}`;
    const tail = lanes.get(lane) ?? (await lastEta(tx, place.env_id, place.lane, now)) ?? 0;
    const eta = Math.max(now, tail + interval(place.accountLimits), (chats.get(chat) ?? 0) + interval(place.chatLimits));
    return { lane, chat, tail, eta };
  }

  return {
    /** @returns milliseconds; `runAt` for a message that is scheduled for later */
    async next(tx: Tx, place: Place, runAt: number, now: number): Promise<number> {
      if (runAt > now || (place.accountLimits.length === 0 && place.chatLimits.length === 0)) return Math.max(runAt, now);
      const { lane, chat, tail, eta } = await estimate(tx, place, now);
      // A chat that must wait doesn't hold up the lane's others.
      lanes.set(lane, Math.max(now, tail + interval(place.accountLimits)));
      if (chats.size >= CHATS_MAX) chats.clear();
      chats.set(chat, eta);
      return Math.round(eta);
    },
    /** As `next`, of a message that may never be sent: the place stays free. */
    peek: async (tx: Tx, place: Place, now: number): Promise<number> => Math.round((await estimate(tx, place, now)).eta),
  };
}

export type Estimator = ReturnType<typeof createEstimator>;

/** Milliseconds between two sends at the steady pace that the limits allow. */
function interval(limits: readonly Limit[]): number {
  return limits.reduce((longest, { count, per_ms }) => Math.max(longest, per_ms / count), 0);
}

/** What holds an account back: its channel's limits, and its gaps. @param gap_ms between two sends, as is to be expected; 0 without */
export function limitsOf(channel: Pick<Channel, "accountLimits">, gap_ms: number): readonly Limit[] {
  return gap_ms === 0 ? channel.accountLimits : [...channel.accountLimits, { count: 1, per_ms: gap_ms }];
}
