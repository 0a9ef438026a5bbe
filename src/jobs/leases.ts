import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { LaneRow } from "#db/schema.ts";
import type { Clock } from "#src/core/clock.ts";

/** How long a copy that fell silent keeps its lanes, and how often a living one renews. */
const LEASE_MS = 30_000;
export const RENEW_MS = 10_000;

/** Which lanes this copy of the executable serves: each has one owner, so that one process keeps its pace and order. */
export interface Leases {
  readonly owner: string;
  /**
   * Renews what is ours and takes what is free. Each change of owner raises the lane's fence.
   * @param sole true when no other copy can be running: then every lane is free
   * @returns the lanes that are ours now, and those among them that were not before
   */
  acquire(sole: boolean): Promise<{ owned: LaneRow[]; gained: LaneRow[] }>;
  /** Gives all of them back, for the other copies to take at once. */
  release(): Promise<void>;
}

export function createLeases(db: Database, clock: Clock, owner: string): Leases {
  return {
    owner,
    acquire: (sole) =>
      db.write(async (tx) => {
        const now = clock.now();
        const lease_until = now + LEASE_MS;
        const lanes = () => db.in(tx).updateTable("lanes");
        const gained = await lanes()
          .set({ owner, lease_until, fence: sql<number>`fence + 1` })
          .where((where) =>
            where.or([
              where("owner", "is", null),
              where.and([where("owner", "!=", owner), sole ? sql.lit(true) : where("lease_until", "<", now)]),
            ]),
          )
          .returningAll()
          .execute();
        const owned = await lanes().set({ lease_until }).where("owner", "=", owner).returningAll().execute();
        return { owned, gained };
      }),
    release: () =>
      db.write(async (tx) => {
        await db.in(tx).updateTable("lanes").set({ owner: null, lease_until: null }).where("owner", "=", owner).execute();
      }),
  };
}
