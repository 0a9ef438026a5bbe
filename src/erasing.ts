import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import { unconditional } from "#src/core/etag.ts";
import type { Tx } from "#src/core/tx.ts";
import { eraseKind } from "#src/modules/erasure/kind.ts";
import { createErasureService } from "#src/modules/erasure/service.ts";
import { createErasureStore } from "#src/modules/erasure/store.ts";
import { createMergeErasure } from "#src/modules/merges/erasure.ts";
import type { MergeStore } from "#src/modules/merges/store.ts";
import type { MessageService } from "#src/modules/messages/service.ts";
import type { createScorer } from "#src/modules/scoring/scorer.ts";

interface Needs {
  db: Database;
  clock: Clock;
  merges: MergeStore;
  points: ReturnType<typeof createScorer>;
  cancelMessage: MessageService["cancel"];
  forgetImports(tx: Tx, env_id: number, contact_id: string): Promise<void>;
  forgetResponses(tx: Tx, env_id: number, event_ids: readonly string[]): Promise<void>;
  forgetFiles(tx: Tx, env_id: number, content: string): Promise<void>;
  removeContact: Parameters<typeof createErasureService>[0]["removeContact"];
  createTask: Parameters<typeof createErasureService>[0]["createTask"];
}

/** What it takes to forget a person. */
export function createErasing({
  db,
  clock,
  merges,
  points,
  cancelMessage,
  forgetImports,
  forgetResponses,
  forgetFiles,
  removeContact,
  createTask,
}: Needs) {
  const store = createErasureStore(db);
  return {
    kind: eraseKind({
      store,
      clock,
      merges: createMergeErasure(merges),
      cancelMessage: (tx, env_id, id) => cancelMessage(tx, { env_id, key_id: "job", account_ids: null }, id, unconditional),
      points,
      forgetImports,
      forgetResponses,
      forgetFiles,
    }),
    service: createErasureService({
      store,
      clock,
      removeContact,
      isMerged: async (tx, env_id, ref) => (await merges.active(tx, env_id, ref)) !== undefined,
      createTask,
      write: db.write,
    }),
  };
}
