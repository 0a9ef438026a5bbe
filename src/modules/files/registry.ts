import type { Clock } from "#src/core/clock.ts";
import { newId } from "#src/core/ids.ts";
import type { Tx } from "#src/core/tx.ts";
import type { RemoteFile } from "./model.ts";
import type { FileStore } from "./store.ts";

/** Keeps where received files can be fetched: the bytes come when somebody asks for them. */
export function createFileRegistry({ store, clock }: { store: Pick<FileStore, "keep">; clock: Clock }) {
  /** @returns the file's id: the one from before where the channel says that it is the same file */
  return async function keepFile(tx: Tx, env_id: number, account_id: number, file: RemoteFile): Promise<string> {
    const { remote, unique: remote_key, type, name, mime, size } = file;
    const now = clock.now();
    const told = { env_id, id: newId("fil", now), account_id, remote, remote_key, type, name, mime, size };
    const kept = await store.keep(tx, { ...told, stored_at: null, used_at: now, created_at: now });
    return kept!.id;
  };
}
