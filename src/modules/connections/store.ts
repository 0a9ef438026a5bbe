import type { Database } from "#db/database.ts";
import type { PeerRow } from "#db/schema-inbox.ts";
import type { AccountRow } from "#db/schema.ts";
import type { Tx } from "#src/core/tx.ts";

/** An account that may be connected, and how it was left. */
export type ListeningRow = AccountRow & { session: string | null; place: string | null };

/** What a round trip, or the lack of one, has told. */
export interface Proof {
  env_id: number;
  account_id: number;
  /** Null: none that is newer. */
  proof_at: number | null;
  error: string | null;
  error_at: number | null;
}

type Place = { env_id: number; account_id: number };

export function createConnectionStore(db: Database) {
  const setPlace = db.prepare<Place & { place: string }>((q, v) =>
    q
      .updateTable("connections")
      .set({ place: v("place") })
      .where("env_id", "=", v("env_id"))
      .where("account_id", "=", v("account_id")),
  );
  const account = db.prepare<{ env_id: number; id: number }, Pick<AccountRow, "kind" | "username">>((q, v) =>
    q
      .selectFrom("accounts")
      .select(["kind", "username"])
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id"))
      .where("deleted_at", "is", null),
  );
  const peers = ({ env_id, account_id }: Place) =>
    db.read.selectFrom("peers").selectAll().where("env_id", "=", env_id).where("account_id", "=", account_id);

  return {
    /** The system door of whoever keeps accounts connected: all that could be, of every environment. */
    listening: (kinds: readonly string[]): Promise<ListeningRow[]> =>
      db.read
        .selectFrom("accounts")
        .leftJoin("connections", (join) =>
          join.onRef("connections.env_id", "=", "accounts.env_id").onRef("connections.account_id", "=", "accounts.id"),
        )
        .selectAll("accounts")
        .select(["session", "place"])
        .where("kind", "in", kinds)
        .where("status", "=", "connected")
        .where("deleted_at", "is", null)
        .execute(),
    /** The account as it is now; undefined once it is removed. */
    account: (tx: Tx, env_id: number, id: number) => account.one(tx, { env_id, id }),
    setPlace: (tx: Tx, at: Place, place: string): void => setPlace.later(tx, { ...at, place }),
    async saveSession(tx: Tx, { env_id, account_id }: Place, session: string): Promise<void> {
      await db
        .in(tx)
        .updateTable("connections")
        .set({ session })
        .where("env_id", "=", env_id)
        .where("account_id", "=", account_id)
        .execute();
    },
    async prove(tx: Tx, proofs: readonly Proof[]): Promise<void> {
      for (const { env_id, account_id, proof_at, error, error_at } of proofs)
        await db
          .in(tx)
          .updateTable("connections")
          .set({ error, error_at, ...(proof_at === null ? {} : { proof_at }) })
          .where("env_id", "=", env_id)
          .where("account_id", "=", account_id)
          .execute();
    },
    /** Those of these updates that were not taken yet; from now on they are. */
    async takeUpdates(tx: Tx, { env_id, account_id }: Place, ids: readonly number[], taken_at: number): Promise<ReadonlySet<number>> {
      if (ids.length === 0) return new Set();
      const rows = await db
        .in(tx)
        .insertInto("updates")
        .values(ids.map((update_id) => ({ env_id, account_id, update_id, taken_at })))
        .onConflict((conflict) => conflict.doNothing())
        .returning("update_id")
        .execute();
      return new Set(rows.map((row) => row.update_id));
    },
    /** Housekeeping of every environment. @returns how many were removed */
    async forgetUpdates(tx: Tx, before: number, most: number): Promise<number> {
      const query = db.in(tx).selectFrom("updates").select(["env_id", "account_id", "update_id"]).where("taken_at", "<", before);
      const rows = await query.orderBy("taken_at").limit(most).execute();
      for (const { env_id, account_id, update_id } of rows)
        await db
          .in(tx)
          .deleteFrom("updates")
          .where("env_id", "=", env_id)
          .where("account_id", "=", account_id)
          .where("update_id", "=", update_id)
          .execute();
      return rows.length;
    },
    peer: (at: Place, by: { peer_id: number } | { username: string } | { phone: string }): Promise<PeerRow | undefined> => {
      if ("peer_id" in by) return peers(at).where("peer_id", "=", by.peer_id).executeTakeFirst();
      const query = "username" in by ? peers(at).where("username", "=", by.username) : peers(at).where("phone", "=", by.phone);
      return query.orderBy("updated_at", "desc").limit(1).executeTakeFirst();
    },
    async savePeers(tx: Tx, rows: readonly PeerRow[]): Promise<void> {
      for (const row of rows) {
        const { env_id: _env, account_id: _account, peer_id: _peer, ...facts } = row;
        await db
          .in(tx)
          .insertInto("peers")
          .values(row)
          .onConflict((conflict) => conflict.columns(["env_id", "account_id", "peer_id"]).doUpdateSet(facts))
          .execute();
      }
    },
    async forgetPeer(tx: Tx, { env_id, account_id }: Place, peer_id: number): Promise<void> {
      await db
        .in(tx)
        .deleteFrom("peers")
        .where("env_id", "=", env_id)
        .where("account_id", "=", account_id)
        .where("peer_id", "=", peer_id)
        .execute();
    },
  };
}

export type ConnectionStore = ReturnType<typeof createConnectionStore>;
