import { type Clock, parseTime } from "#src/core/clock.ts";
import { timeOfDayMs } from "#src/core/local-time.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Channel } from "./channel.ts";
import { limitsOf } from "./eta.ts";
import type { Room } from "./model.ts";
import type { SendingAccount } from "./service.ts";

const DAY_MS = 86_400_000;

interface Standing<Row> {
  row: Row;
  shown: Account;
}

interface Needs<Row extends SendingAccount> {
  clock: Clock;
  channels: ReadonlyMap<string, Channel>;
  laneOf(account_id: number): string;
  /** How many jobs of a lane are due by a real time (ms). */
  waiting(tx: Tx, env_id: number, lane: string, by: number): Promise<number>;
  accounts: {
    standing(tx: Tx, env_id: number, ids: readonly number[]): Promise<Standing<Row>[]>;
    budget: { usualGapMs(row: Row): number; quietEnd(row: Row, at: number): number | null };
  };
}

/** Tells what accounts can send yet, and how long one would take for many messages: by its pace, and by its caps day after day. */
export function createForecast<Row extends SendingAccount>({ clock, channels, laneOf, waiting, accounts }: Needs<Row>) {
  /** Milliseconds between two sends at the steady pace; its quiet hours are spread over the day. */
  function paceOf({ row, shown }: Standing<Row>): number {
    const limits = limitsOf(channels.get(row.kind)!, accounts.budget.usualGapMs(row));
    const each_ms = limits.reduce((longest, { count, per_ms }) => Math.max(longest, per_ms / count), 0);
    return (each_ms * DAY_MS) / (DAY_MS - quietMs(shown.quiet_hours));
  }

  function roomOf(standing: Standing<Row>, now: number): Room {
    const { row, shown } = standing;
    const { budget, restricted_until } = shown;
    const ofDay = row.daily_cap ?? Number.POSITIVE_INFINITY;
    const ofDayToNew = row.new_peer_daily_cap ?? Number.POSITIVE_INFINITY;
    return {
      ...{ ofDay, ofDayToNew, left: budget?.remaining ?? ofDay, leftToNew: budget?.new_peers_remaining ?? ofDayToNew },
      each_ms: paceOf(standing),
      ends_at: parseTime(budget?.resets_at ?? "") ?? now + DAY_MS,
      nobodyNewUntil: parseTime(restricted_until ?? ""),
    };
  }

  return {
    /** What these accounts can send yet; of those that are here. */
    async rooms(tx: Tx, env_id: number, account_ids: readonly number[]): Promise<Map<number, Room>> {
      const now = clock.now(env_id);
      const standings = await accounts.standing(tx, env_id, account_ids);
      return new Map(standings.map((standing) => [standing.row.id, roomOf(standing, now)]));
    },

    /**
     * @param share how many of the messages go to people whom the account has written with, and how many to others
     * @param from when the first can leave (ms)
     * @returns when the last would leave (ms), behind what waits already; holds are not in it
     */
    async forecast(tx: Tx, env_id: number, account_id: number, share: { known: number; fresh: number }, from: number): Promise<number> {
      const [found] = await accounts.standing(tx, env_id, [account_id]);
      if (found === undefined) return from;
      const { ofDay, ofDayToNew, each_ms, ...today } = roomOf(found, clock.now(env_id));
      let { known, fresh } = share;
      known += await waiting(tx, env_id, laneOf(account_id), clock.real(env_id, from));
      let begins = accounts.budget.quietEnd(found.row, from) ?? from;
      let ends = today.ends_at;
      let [left, leftToNew] = from < ends ? [today.left, today.leftToNew] : [ofDay, ofDayToNew];
      while (ends <= begins) ends += DAY_MS;
      for (;;) {
        const lasts = each_ms === 0 ? Number.POSITIVE_INFINITY : Math.ceil((ends - begins) / each_ms);
        const most = Math.min(left, lasts);
        const toNew = Math.min(fresh, leftToNew, most);
        const toKnown = Math.min(known, most - toNew);
        fresh -= toNew;
        known -= toKnown;
        if (known + fresh === 0 || ofDay === 0 || (known === 0 && ofDayToNew === 0)) {
          const last = begins + Math.max(0, toNew + toKnown - 1) * each_ms;
          return accounts.budget.quietEnd(found.row, last) ?? last;
        }
        [begins, ends, left, leftToNew] = [ends, ends + DAY_MS, ofDay, ofDayToNew];
      }
    },
  };
}

function quietMs(quiet: Account["quiet_hours"]): number {
  return quiet === null ? 0 : (timeOfDayMs(quiet.to) - timeOfDayMs(quiet.from) + DAY_MS) % DAY_MS;
}
