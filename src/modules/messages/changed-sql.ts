import type { Database } from "#db/database.ts";
import type { Tx } from "#src/core/tx.ts";
import type { MessageRow } from "./store.ts";

/** What was sent and is changed afterwards: far from as often as it is sent. */
export function createChangeStore(db: Database) {
  return {
    /** Writes what a change makes of a message. */
    async keep(tx: Tx, { env_id, id, ...row }: MessageRow): Promise<void> {
      const { text, content, last_error, edited_at, deleted_at, updated_at } = row;
      const changed = { text, content, last_error, edited_at, deleted_at, updated_at };
      await db.in(tx).updateTable("messages").set(changed).where("env_id", "=", env_id).where("id", "=", id).execute();
    },
  };
}

export type ChangeStore = ReturnType<typeof createChangeStore>;
