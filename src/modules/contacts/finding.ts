import { notFound } from "#src/core/errors.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { ContactRow, ContactStore } from "./store.ts";

/** Whom the id or number of a contact that was merged stands for; null where it was not. */
export type SurvivorOf = (tx: Tx | null, env_id: number, ref: string) => Maybe<string | null>;

/** Finds a living contact by id or number; those of one that was merged are the survivor's. */
export function createContactFinder(store: ContactStore, survivorOf: SurvivorOf) {
  function byRef(tx: Tx | null, env_id: number, ref: string): Maybe<ContactRow | undefined> {
    return ref.startsWith("ct_") ? store.byId(tx, env_id, ref) : store.byNumber(tx, env_id, Number(ref));
  }

  /** For a change: on PostgreSQL the row waits. @throws AppError `not_found` */
  async function find(tx: Tx, env_id: number, ref: string): Promise<ContactRow> {
    const found = await byRef(tx, env_id, ref);
    const row = found === undefined ? undefined : await store.hold(tx, found);
    if (row !== undefined && row.deleted_at === null) return row;
    const survivor = await survivorOf(tx, env_id, ref);
    if (survivor === null) throw notFound("contact");
    return find(tx, env_id, survivor);
  }

  /** @param tx null reads the last committed snapshot */
  async function follow(tx: Tx | null, env_id: number, ref: string): Promise<ContactRow | undefined> {
    const row = await byRef(tx, env_id, ref);
    if (row !== undefined && row.deleted_at === null) return row;
    const survivor = await survivorOf(tx, env_id, ref);
    return survivor === null ? undefined : follow(tx, env_id, survivor);
  }

  return { find, follow };
}
