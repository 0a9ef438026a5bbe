import type { TaskKind } from "#src/modules/tasks/model.ts";
import type { DeliveryLogStore, Narrowed } from "./deliveries-sql.ts";

export const PURGE_TASK = "deliveries.purge";
/** Of a step. */
const ROWS_MAX = 200;

export interface PurgeParams {
  webhook_id: string | null;
  /** Of events that happened before this time (ms). */
  before: number;
  event: string | null;
}

interface PurgeState {
  /** Behind this delivery. */
  after: string;
  purged: number;
}

/** Removes dead letters. */
export function purgeKind(store: DeliveryLogStore): TaskKind<PurgeParams, PurgeState, string[]> {
  return {
    kind: PURGE_TASK,
    begin: () => ({ after: "", purged: 0 }),
    async prepare({ env_id, params: { webhook_id, before, event }, state }) {
      const by: Narrowed = { created_before: before };
      if (webhook_id !== null) by.webhook_id = webhook_id;
      if (event !== null) by.event_type = event;
      return (await store.deadLetters(env_id, by, state.after, ROWS_MAX)).map(({ id }) => id);
    },
    async apply(tx, { env_id, state }, ids) {
      const purged = state.purged + (ids.length === 0 ? 0 : await store.purge(tx, env_id, ids));
      if (ids.length < ROWS_MAX) return { kind: "done", state: { ...state, purged }, progress: { done: purged, total: purged } };
      return { kind: "more", state: { after: ids.at(-1)!, purged }, progress: { done: purged, total: null } };
    },
    result: ({ purged }) => ({ purged }),
  };
}
