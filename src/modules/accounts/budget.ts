import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import { dayOf, nextDayAt, quietUntil } from "./day.ts";
import { DAILY_CAP_HOLD, type QuietHours } from "./model.ts";
import type { AccountRow, AccountStore } from "./store.ts";

/** What a cap leaves: for the X-SendLimit headers. */
export interface SendLimit {
  /** Infinite, as what remains of it, where only sends to new people are capped. */
  limit: number;
  remaining: number;
  /** When the next day begins, ms. */
  resets_at: number;
  /** On what the send counts: to be given to `giveBack` should it not happen. */
  place: string;
}

/** Whether a message may leave now. */
export type Leave =
  /** @param place where it counts; null without a cap */
  | { kind: "go"; place: string | null }
  /** Nothing of this account until then. */
  | { kind: "hold"; until: number; reason: string }
  /** Not this one until then: it is to somebody new. */
  | { kind: "postpone"; until: number; reason: string };

/** What a send is to be judged by. */
interface Sending {
  /** The account has not written with this recipient before. */
  isNew: boolean;
  /** Where it counts already; null when it does not. */
  place: string | null;
}

/** Marks, in the place of a send, that it counts among those to new people. */
const NEW = "+new";

export const QUIET_HOLD = "quiet hours";

export type Budget = ReturnType<typeof createBudget>;

/** What an account may send: a day's caps, quiet hours, gaps, and whether it may write to anybody new. */
export function createBudget({ store, clock, random }: { store: AccountStore; clock: Clock; random(): number }) {
  /**
   * Counts one send against today's caps.
   * @returns whether this one still fits, and what is left of the daily cap, or of the one for new people where that is what
   * refuses it; null without a cap
   */
  async function take(tx: Tx, row: AccountRow, isNew: boolean): Promise<{ fits: boolean; limit: SendLimit; ofNew: boolean } | null> {
    if (row.daily_cap === null && row.new_peer_daily_cap === null) return null;
    const now = clock.now(row.env_id);
    const day = dayOf(now, row.timezone);
    // The row is taken before it is judged, so that two at once can't both be the last.
    const used = await store.takeDay(tx, row.env_id, row.id, day, isNew);
    const ofAll = row.daily_cap ?? Number.POSITIVE_INFINITY;
    const ofNewPeers = isNew ? (row.new_peer_daily_cap ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    const ofNew = used.taken <= ofAll && used.new_peers > ofNewPeers;
    const fits = used.taken <= ofAll && !ofNew;
    if (!fits) await store.giveBackDay(tx, row.env_id, row.id, day, isNew);
    const [limit, taken] = ofNew ? [ofNewPeers, used.new_peers] : [ofAll, used.taken];
    const place = isNew ? day + NEW : day;
    return { fits, ofNew, limit: { limit, remaining: Math.max(0, limit - taken), resets_at: nextDayAt(now, row.timezone), place } };
  }

  return {
    take,

    /** A counted send did not happen. @param place as `SendLimit` has it */
    async giveBack(tx: Tx, env_id: number, id: number, place: string): Promise<void> {
      await store.giveBackDay(tx, env_id, id, place.replace(NEW, ""), place.endsWith(NEW));
    },

    /** True of an account that nothing of this can hold: then nothing needs to be asked. */
    isUnbounded: (row: AccountRow) =>
      row.daily_cap === null && row.new_peer_daily_cap === null && row.quiet_hours === null && row.restricted_until === null,

    /** Whether it matters of a recipient that the account has not written with them before. */
    mindsNewPeers: (row: AccountRow) => row.new_peer_daily_cap !== null || row.restricted_until !== null,

    /** Judges a message that is about to leave, and counts it where it does not count yet. */
    async leave(tx: Tx, row: AccountRow, { isNew, place }: Sending): Promise<Leave> {
      const now = clock.now(row.env_id);
      const quiet = quietEnd(row, now);
      if (quiet !== null) return { kind: "hold", until: quiet, reason: QUIET_HOLD };
      if (isNew && row.restricted_until !== null && row.restricted_until > now)
        return { kind: "postpone", until: row.restricted_until, reason: "Telegram lets the account write to nobody new for now" };
      if (place !== null) return { kind: "go", place };
      const taken = await take(tx, row, isNew);
      if (taken === null || taken.fits) return { kind: "go", place: taken?.limit.place ?? null };
      const { resets_at: until } = taken.limit;
      return taken.ofNew ? { kind: "postpone", until, reason: "new_peer_daily_cap" } : { kind: "hold", until, reason: DAILY_CAP_HOLD };
    },

    /** The pause after a send: drawn anew each time, ms; 0 without gaps. */
    gapMs(row: AccountRow): number {
      if (row.gap_seconds === null) return 0;
      const [least, most] = JSON.parse(row.gap_seconds) as [number, number];
      return Math.round((least + random() * (most - least)) * 1_000);
    },

    /** The pause that is to be expected between two sends, ms. */
    usualGapMs(row: AccountRow): number {
      if (row.gap_seconds === null) return 0;
      const [least, most] = JSON.parse(row.gap_seconds) as [number, number];
      return ((least + most) / 2) * 1_000;
    },

    quietEnd,
  };
}

/** When the quiet hours end in which this moment lies (ms); null outside of them. */
function quietEnd(row: AccountRow, now: number): number | null {
  return row.quiet_hours === null ? null : quietUntil(now, row.timezone, JSON.parse(row.quiet_hours) as QuietHours);
}
