import { localDateOf } from "#src/core/local-time.ts";
import type { Tx } from "#src/core/tx.ts";
import type { EnrollmentStore } from "./enrolled-sql.ts";

/** What is counted of sequences and their steps. */
export const counted = ["entered", "reached", "sent", "failed", "replied", "converted", "completed", "exited", "ended_failed"] as const;
export type Counted = (typeof counted)[number];

/** What is counted in a transaction: written once a row, however often it happened. */
export function createTally(store: Pick<EnrollmentStore, "count">) {
  const counts = new Map<string, Parameters<EnrollmentStore["count"]>[1]>();
  return {
    /** @param step empty where it is about the whole @param at the environment's time (ms) @param n below zero for what is taken back */
    add(env_id: number, subject_id: string, step: string, what: Counted, at: number, n = 1): void {
      const day = localDateOf(at, "UTC");
      const key = `${env_id} ${subject_id} ${day} ${step} ${what}`;
      const row = counts.get(key);
      if (row === undefined) counts.set(key, { env_id, subject_id, day, step, what, n });
      else row.n += n;
    },
    /** In one order everywhere: transactions that write the same counts crosswise would be a deadlock. */
    write(tx: Tx): void {
      for (const [, row] of [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))) store.count(tx, row);
    },
  };
}

export type Tally = ReturnType<typeof createTally>;
