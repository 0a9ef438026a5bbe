import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { BulkStore } from "./bulk-sql.ts";
import { type Changed, formerIdentities, takeBack } from "./changes.ts";
import type { createContactFields } from "./fields.ts";
import type { Identity } from "./identity.ts";
import { isSame } from "./happenings.ts";
import { createRowWriter } from "./row-writer.ts";
import type { ContactStore } from "./store.ts";

interface Needs {
  store: ContactStore;
  bulk: BulkStore;
  clock: Clock;
  custom: ReturnType<typeof createContactFields>;
}

/** Takes back what a bulk write did, as far as nobody has changed it since. Without events and audit. */
export function createBulkUndo({ store, bulk, clock, custom }: Needs) {
  const rows = createRowWriter(store, custom);
  return {
    /**
     * Removes contacts by their numbers, up to a few dozen.
     * @param madeAt when they were made (ms)
     * @param writtenAt when the same import wrote to some of them again, by id
     * @returns how many were removed, and how many stay because somebody has changed them
     */
    async remove(tx: Tx, env_id: number, first: number, last: number, madeAt: number, writtenAt: ReadonlyMap<string, number>) {
      const found = await bulk.numbered(tx, env_id, first, last);
      const own = found.filter((row) => row.updated_at === madeAt || row.updated_at === writtenAt.get(row.id));
      const known = await custom.knownFor(tx, env_id, own);
      const now = clock.now(env_id);
      for (const row of own) rows.remove(tx, row, known, now);
      if (own.length > 0) await store.count(tx, env_id, "contacts", -own.length);
      return { removed: own.length, kept: found.length - own.length };
    },

    /** @returns whether it was restored; false where something of it was left as somebody has made it since, or it is gone */
    async restore(tx: Tx, env_id: number, contact_id: string, changed: Changed): Promise<boolean> {
      const found = await store.byId(tx, env_id, contact_id);
      const row = found === undefined ? undefined : await store.hold(tx, found);
      if (row === undefined || row.deleted_at !== null) return false;
      const former = formerIdentities(row, changed);
      await store.lockIdentities(tx, env_id, ...former.map(({ name, value }) => ({ [name]: value })));
      const taken = new Set<Identity>();
      for (const { name, value } of former) if ((await store.idOf(tx, env_id, name, value)) !== null) taken.add(name);
      const known = await custom.reader(tx, env_id)();
      const back = takeBack(row, changed, taken);
      if (!isSame(row, back.row)) rows.replace(tx, row, { ...back.row, updated_at: clock.now(env_id) }, known);
      return !back.left;
    },
  };
}
