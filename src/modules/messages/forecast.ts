import { parseTime } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Channel } from "./channel.ts";
import { limitsOf } from "./eta.ts";
import type { SendingAccount } from "./service.ts";

const DAY_MS = 86_400_000;

interface Needs<Row extends SendingAccount> {
  channels: ReadonlyMap<string, Channel>;
  accounts: {
    standing(tx: Tx, env_id: number, ids: readonly number[]): Promise<{ row: Row; shown: Account }[]>;
    budget: { usualGapMs(row: Row): number; quietEnd(row: Row, at: number): number | null };
  };
}

/** Tells how long an account would take for many messages: by its pace, and by its caps day after day. */
export function createForecast<Row extends SendingAccount>({ channels, accounts }: Needs<Row>) {
  /** Milliseconds between two sends at the steady pace. */
  function paceOf(row: Row): number {
    const limits = limitsOf(channels.get(row.kind)!, accounts.budget.usualGapMs(row));
    return limits.reduce((longest, { count, per_ms }) => Math.max(longest, per_ms / count), 0);
  }

  /**
   * @param share how many of the messages go to people whom the account has written with, and how many to others
   * @param from when the first can leave (ms)
   * @returns when the last would leave (ms); what waits already, holds and quiet hours but the last ones are not in it
   */
  return async (tx: Tx, env_id: number, account_id: number, share: { known: number; fresh: number }, from: number): Promise<number> => {
    const [found] = await accounts.standing(tx, env_id, [account_id]);
    if (found === undefined) return from;
    const { row, shown } = found;
    const each_ms = paceOf(row);
    let { known, fresh } = share;
    let begins = from;
    let ends = shown.budget === null ? from + DAY_MS : (parseTime(shown.budget.resets_at) ?? from + DAY_MS);
    let room = row.daily_cap ?? Number.POSITIVE_INFINITY;
    let roomOfNew = row.new_peer_daily_cap ?? Number.POSITIVE_INFINITY;
    const full = { room, roomOfNew };
    if (shown.budget !== null && from < ends) {
      room = shown.budget.remaining ?? room;
      roomOfNew = shown.budget.new_peers_remaining ?? roomOfNew;
    }
    while (ends <= begins) ends += DAY_MS;
    for (;;) {
      const lasts = each_ms === 0 ? Number.POSITIVE_INFINITY : Math.ceil((ends - begins) / each_ms);
      const most = Math.min(room, lasts);
      const toNew = Math.min(fresh, roomOfNew, most);
      const toKnown = Math.min(known, most - toNew);
      fresh -= toNew;
      known -= toKnown;
      if (known + fresh === 0 || full.room === 0 || (known === 0 && full.roomOfNew === 0)) {
        const last = begins + Math.max(0, toNew + toKnown - 1) * each_ms;
        return accounts.budget.quietEnd(row, last) ?? last;
      }
      [begins, ends, { room, roomOfNew }] = [ends, ends + DAY_MS, full];
    }
  };
}
