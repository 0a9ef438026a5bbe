import { toTime } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { BroadcastStore } from "./store.ts";

/** What happens in one transaction, counted together: by variant, and by the code of a failure. */
export interface Tally {
  note(variant: string, what: string): void;
  write(tx: Tx, env_id: number, broadcast_id: string, now: number): void;
}

export function createTally(store: Pick<BroadcastStore, "addCount">): Tally {
  const counts = new Map<string, { step: string; what: string; n: number }>();
  return {
    note(step, what) {
      const count = counts.get(`${step} ${what}`) ?? { step, what, n: 0 };
      counts.set(`${step} ${what}`, { ...count, n: count.n + 1 });
    },
    write(tx, env_id, subject_id, now) {
      const day = toTime(now).slice(0, 10);
      // In one order, so that on PostgreSQL those who count together don't wait for one another in a circle.
      for (const [, { step, what, n }] of [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
        store.addCount(tx, { env_id, subject_id, day, step, what, n });
    },
  };
}
