import type { Update } from "grammy/types";
import type { Log } from "#src/core/log.ts";
import type { Inbound } from "#src/modules/connections/model.ts";
import { readUpdate } from "./updates.ts";

interface Batch {
  /** What happened, in order. */
  items: Inbound[];
  /** The number of the last update; null where there is none that has one. */
  last: number | null;
  /** Presses on buttons, which wait for an answer: their ids. */
  presses: string[];
}

/** Reads updates. One that nobody understands is told to the log, without what it holds, and passed over. */
export function readBatch(updates: readonly Update[], whose: { env_id: number; id: number }, now: number, log: Log): Batch {
  const batch: Batch = { items: [], last: null, presses: [] };
  for (const update of updates) {
    const { update_id, callback_query } = (update ?? {}) as Partial<Update>;
    if (Number.isSafeInteger(update_id)) batch.last = update_id!;
    if (typeof callback_query?.id === "string") batch.presses.push(callback_query.id);
    try {
      batch.items.push(...readUpdate(update, now));
    } catch (error) {
      const reason = error instanceof TypeError ? error.message : "";
      log.warn("an update could not be read, and is passed over", { env_id: whose.env_id, account: whose.id, update: update_id, reason });
    }
  }
  return batch;
}
