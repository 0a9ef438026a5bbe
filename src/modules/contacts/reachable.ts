import { addressesOf } from "#src/core/addresses.ts";
import type { Tx } from "#src/core/tx.ts";
import { createContactFinder, type SurvivorOf } from "./finding.ts";
import type { ContactStore } from "./store.ts";

/** Whom an id stands for, what they can be written to at, the surest first, and what tells their local time. */
interface Reachable {
  id: string;
  addresses: string[];
  timezone: string | null;
  language: string | null;
}

export function createReachable(store: ContactStore, survivorOf: SurvivorOf) {
  const { follow } = createContactFinder(store, survivorOf);
  /** Of many at once: by the ids that were asked for, without those who are not here. */
  return async (tx: Tx, env_id: number, ids: readonly string[]): Promise<Map<string, Reachable>> => {
    const rows = new Map((await store.several(tx, env_id, [...new Set(ids)])).map((row) => [row.id, row]));
    const found = new Map<string, Reachable>();
    for (const id of ids) {
      const known = rows.get(id);
      const row = known !== undefined && known.deleted_at === null ? known : await follow(tx, env_id, id);
      if (row === undefined) continue;
      const { timezone, language } = row;
      found.set(id, { id: row.id, addresses: addressesOf(row), timezone, language });
    }
    return found;
  };
}
