import type { Tx } from "#src/core/tx.ts";
import { moveSome } from "./job.ts";
import type { MergeStore } from "./store.ts";

/** Rows a transaction of what only tells which messages moved. */
const ROWS_MAX = 200;

/** What the erasure of contacts has to do about their merges. */
export function createMergeErasure(store: MergeStore) {
  async function forgetMoved(tx: Tx, env_id: number, merge_id: string): Promise<boolean> {
    return (await store.takeMoved(tx, env_id, merge_id, ROWS_MAX)).length === ROWS_MAX;
  }

  return {
    /** The contact that an erasure of this one begins with: those that became part of it go first. */
    async innermost(env_id: number, contact_id: string): Promise<string> {
      const last = await store.lastInto(null, env_id, contact_id);
      return last === undefined ? contact_id : this.innermost(env_id, last.merged_id);
    },
    /** Whose part a contact is; null where it was not merged. */
    survivorOf: (env_id: number, contact_id: string) => store.survivorOf(null, env_id, contact_id),
    /** Lets messages of a contact arrive where they belong. @returns whether there may be more */
    async settleSome(tx: Tx, env_id: number, contact_id: string): Promise<boolean> {
      const [merge] = await store.moving(tx, env_id, contact_id);
      if (merge === undefined) return false;
      await moveSome(store, tx, env_id, merge.id);
      return true;
    },
    /** Gives messages that are nobody's to the person whom their address belonged to. */
    adopt: store.adopt,
    /** Ends the time in which the merge of a contact can be undone: nothing but ids is left of it. @returns whether there may be more */
    async lapseSome(tx: Tx, env_id: number, merged_id: string): Promise<boolean> {
      const row = await store.active(tx, env_id, merged_id);
      if (row === undefined) return false;
      if (await moveSome(store, tx, env_id, row.id)) return true;
      if (await forgetMoved(tx, env_id, row.id)) return true;
      await store.update(tx, { ...row, snapshots: null });
      return false;
    },
    /** Forgets all merges of a contact. @returns whether there may be more */
    async forgetSome(tx: Tx, env_id: number, contact_id: string): Promise<boolean> {
      for (const { id } of await store.involving(tx, env_id, contact_id)) if (await forgetMoved(tx, env_id, id)) return true;
      await store.forget(tx, env_id, contact_id);
      return false;
    },
  };
}
