import type { Clock } from "#src/core/clock.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { type FileFolder, nameOf } from "./model.ts";
import type { FileRow, FileStore } from "./store.ts";

/** Files that are let go at a time. */
const TRIMMED_MAX = 50;

interface Needs {
  store: FileStore;
  clock: Clock;
  folder: FileFolder;
  cacheBytesMax: number;
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
}

/** Keeps the bytes of received files below a limit: what nobody has read for longest goes, and can be fetched again. */
export function createCache({ store, folder, cacheBytesMax, write }: Needs) {
  /** As far as this process knows; null until it has asked. */
  let known: number | null = null;
  let last: Promise<void> = Promise.resolve();

  async function letGo(row: FileRow): Promise<void> {
    await write((tx) => store.set(tx, row, { stored_at: null }));
    await folder.remove(nameOf(row));
  }

  async function letMuchGo(spared: FileRow | null): Promise<void> {
    known = await store.cachedBytes();
    while (known > cacheBytesMax) {
      const rows = (await store.leastUsed(TRIMMED_MAX)).filter(({ env_id, id }) => id !== spared?.id || env_id !== spared.env_id);
      if (rows.length === 0) return;
      for (const row of rows) {
        if (known <= cacheBytesMax) return;
        await letGo(row);
        known -= row.size ?? 0;
      }
    }
  }

  /** One after another: two at once would count the same file twice. */
  function trim(spared: FileRow | null = null): Promise<void> {
    const turn = last.then(() => letMuchGo(spared));
    last = turn.catch(() => undefined);
    return turn;
  }

  return {
    trim: () => trim(),
    /** Of a file that has come into the cache. Whoever has asked for it has yet to read it, so it stays, however large it is. */
    async added(row: FileRow, bytes: number): Promise<void> {
      known = known === null ? null : known + bytes;
      if (known === null || known > cacheBytesMax) await trim(row);
    },
  };
}
