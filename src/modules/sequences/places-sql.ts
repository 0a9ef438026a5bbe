import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { isAfterPlace } from "#db/place.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Place } from "#src/modules/events/model.ts";

/** A sequence that contacts can enter by themselves. */
export interface ActiveSequence {
  id: string;
  version: number;
}

/** How far sequences have heeded what happens, and which are to be entered by it. */
export function createPlaceStore(db: Database) {
  const at = (tx: Tx | null) => (tx === null ? db.read : db.in(tx));
  return {
    /** Every environment that has had a sequence. */
    all: (): Promise<{ env_id: number }[]> => db.read.selectFrom("sequence_places").select("env_id").execute(),
    read: (env_id: number, tx: Tx | null = null): Promise<Place | undefined> =>
      at(tx).selectFrom("sequence_places").select(["tx_id", "seq"]).where("env_id", "=", env_id).executeTakeFirst(),
    /**
     * When the first event of these types happened (ms) that was not heeded yet; null when there is none. How far the log was
     * looked through is written down only where something follows: what does not is passed over here, too.
     */
    async unheededSince(tx: Tx | null, env_id: number, types: readonly string[]): Promise<number | null> {
      const place = await this.read(env_id, tx);
      if (place === undefined) return null;
      const first = await at(tx)
        .selectFrom("events")
        .select("created_at")
        .where("env_id", "=", env_id)
        .where(isAfterPlace(db.engine, place))
        .where("type", "in", types)
        .orderBy("tx_id")
        .orderBy("seq")
        .limit(1)
        .executeTakeFirst();
      return first?.created_at ?? null;
    },
    /** The caller alone has it until the transaction ends. */
    lock: (tx: Tx, env_id: number): Promise<Place | undefined> =>
      db
        .in(tx)
        .selectFrom("sequence_places")
        .select(["tx_id", "seq"])
        .where("env_id", "=", env_id)
        .$if(db.engine === "postgres", (q) => q.forUpdate())
        .executeTakeFirst(),
    async set(tx: Tx, env_id: number, { tx_id, seq }: Place): Promise<void> {
      await db.in(tx).updateTable("sequence_places").set({ tx_id, seq }).where("env_id", "=", env_id).execute();
    },
    /** Begins at a place, unless the environment has one. */
    async begin(tx: Tx, env_id: number, { tx_id, seq }: Place): Promise<void> {
      await db
        .in(tx)
        .insertInto("sequence_places")
        .values({ env_id, tx_id, seq })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    active: (tx: Tx, env_id: number): Promise<ActiveSequence[]> =>
      db
        .in(tx)
        .selectFrom("sequences")
        .select(["id", "version"])
        .where("env_id", "=", env_id)
        .where("status", "=", sql.lit("active"))
        .orderBy("id")
        .execute(),
  };
}

export type PlaceStore = ReturnType<typeof createPlaceStore>;
