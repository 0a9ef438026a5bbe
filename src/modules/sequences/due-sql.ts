import type { Database } from "#db/database.ts";
import { isAfterPlace } from "#db/place.ts";
import type { DueSource } from "#src/core/due-source.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Place } from "#src/modules/events/model.ts";
import { heededTypes } from "./heeding.ts";
import type { PlaceStore } from "./places-sql.ts";

interface Needs {
  db: Database;
  places: Pick<PlaceStore, "read">;
  /** Looks for what is due. */
  wake(): void;
}

/** Enrollments whose next step falls due, for whoever moves an environment's clock. */
export function createDueEnrollments({ db, places, wake }: Needs): DueSource {
  const first = (tx: Tx | null, env_id: number, after: number) =>
    (tx === null ? db.read : db.in(tx))
      .selectFrom("enrollments")
      .select("due_at")
      .where("env_id", "=", env_id)
      .where("due_at", ">", after)
      .orderBy("due_at")
      .limit(1)
      .executeTakeFirst();

  /** How far the log was looked through is written down only where something follows: what does not is passed over here, too. */
  const unheeded = (env_id: number, place: Place) =>
    db.read
      .selectFrom("events")
      .select("seq")
      .where("env_id", "=", env_id)
      .where(isAfterPlace(db.engine, place))
      .where("type", "in", [...heededTypes])
      .limit(1)
      .executeTakeFirst();

  return {
    nextAt: async (tx, { env_id, now }) => (await first(tx, env_id, now))?.due_at ?? null,
    async shift(tx, { env_id, now }, by_ms) {
      await db
        .in(tx)
        .updateTable("enrollments")
        .set((row) => ({ due_at: row("due_at", "-", by_ms) }))
        .where("env_id", "=", env_id)
        .where("due_at", ">", now)
        .execute();
    },
    async isQuiet({ env_id, now }) {
      const place = await places.read(env_id);
      // What happened may let somebody enter, or go on.
      if (place !== undefined && (await unheeded(env_id, place)) !== undefined) return false;
      return ((await first(null, env_id, -1))?.due_at ?? Number.POSITIVE_INFINITY) > now;
    },
    moved: wake,
  };
}
