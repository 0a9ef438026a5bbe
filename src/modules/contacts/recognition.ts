import type { Maybe, Tx } from "#src/core/tx.ts";
import { severalPeople, taken } from "./conflicts.ts";
import { identities, type Identities, type Identity } from "./identity.ts";
import type { ContactRow } from "./store.ts";

interface Store {
  byIdentity(tx: Tx, env_id: number, name: Identity, value: string | number): Maybe<ContactRow | undefined>;
  /** The row as it is, and nobody else's to change until the transaction ends. */
  hold(tx: Tx, row: ContactRow): Maybe<ContactRow | undefined>;
}

/** Looks for people by what tells them apart. Whoever asks has locked the identities. */
export function createRecognition(store: Store) {
  async function match(tx: Tx, env_id: number, given: Identities): Promise<ContactRow | undefined> {
    const found = new Map<string, { row: ContactRow; by: string }>();
    for (const { name, value } of toldBy(given)) {
      const row = await store.byIdentity(tx, env_id, name, value);
      if (row !== undefined && !found.has(row.id)) found.set(row.id, { row, by: name });
    }
    if (found.size > 1) throw severalPeople([...found].map(([id, { by }]) => ({ id, by })));
    return [...found.values()][0]?.row;
  }

  return {
    /**
     * The contact that the identities belong to, held until the transaction ends.
     * @throws AppError `conflict` when they belong to two people
     */
    async find(tx: Tx, env_id: number, given: Identities): Promise<ContactRow | undefined> {
      for (;;) {
        const found = await match(tx, env_id, given);
        if (found === undefined) return undefined;
        const row = await store.hold(tx, found);
        // Until it was held it could be deleted, or lose what it was found by.
        if (row?.deleted_at === null && toldBy(given).some(({ name, value }) => row[name] === value)) return row;
      }
    },

    /** @throws AppError `conflict` when one of the identities is another's */
    async checkFree(tx: Tx, { env_id, id }: ContactRow, given: Identities): Promise<void> {
      for (const { name, value } of toldBy(given)) {
        const other = await store.byIdentity(tx, env_id, name, value);
        if (other !== undefined && other.id !== id) throw taken(name, other.id);
      }
    },
  };
}

/** Those that are given and not cleared, in the order in which a person is looked for. */
function toldBy(given: Identities): { name: Identity; value: string | number }[] {
  return identities.flatMap((name) => {
    const value = given[name] ?? null;
    return value === null ? [] : [{ name, value }];
  });
}
