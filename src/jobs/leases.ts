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
   * @returns the lanes that are ours from now on
   */
  acquire(sole: boolean): Promise<Pick<LaneRow, "env_id" | "lane">[]>;
  /** The lanes that are ours, as they are now. */
  owned(): Promise<LaneRow[]>;
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
        await lanes().set({ lease_until }).where("owner", "=", owner).execute();
        return lanes()
          .set({ owner, lease_until, fence: sql<number>`fence + 1` })
          .where((where) =>
            where.or([
              where("owner", "is", null),
              where.and([where("owner", "!=", owner), sole ? sql.lit(true) : where("lease_until", "<", now)]),
            ]),
          )
          .returning(["env_id", "lane"])
          .execute();
      }),
    owned: () => db.read.selectFrom("lanes").selectAll().where("owner", "=", owner).execute(),
    release: () =>
      db.write(async (tx) => {
        await db.in(tx).updateTable("lanes").set({ owner: null, lease_until: null }).where("owner", "=", owner).execute();
      }),
  };
}
