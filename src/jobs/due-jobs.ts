import type { Database } from "#db/database.ts";
import type { DueSource, Move } from "#src/core/due-source.ts";
import type { Tx } from "#src/core/tx.ts";
import type { JobLoop } from "./job.ts";

type Loop = Pick<JobLoop, "moved" | "inFlight">;

/** Jobs and the holds of lanes, for whoever moves an environment's clock. */
export function createDueJobs(db: Database, loop: () => Loop): DueSource {
  const from = (tx: Tx | null) => (tx === null ? db.read : db.in(tx));
  /** Those that wait for a time alone. */
  const free = (tx: Tx | null, { env_id, job_id }: Move) =>
    from(tx).selectFrom("jobs").where("env_id", "=", env_id).where("lane", "is", null).where("id", "!=", job_id);
  const firstOf = (tx: Tx | null, env_id: number, lane: string, after: number) =>
    from(tx)
      .selectFrom("jobs")
      .select("run_at")
      .where("env_id", "=", env_id)
      .where("lane", "=", lane)
      .where("run_at", ">", after)
      .orderBy("run_at")
      .limit(1)
      .executeTakeFirst();
  /** What waits in a lane that is stopped waits for a person. */
  const movingLanes = (tx: Tx | null, env_id: number) =>
    from(tx).selectFrom("lanes").select(["lane", "held_until"]).where("env_id", "=", env_id).where("paused", "=", 0).execute();

  async function nextOfLane(tx: Tx, { env_id, now }: Move, lane: string, held_until: number | null): Promise<number | null> {
    const isHeld = held_until !== null && held_until > now;
    const first = await firstOf(tx, env_id, lane, isHeld ? -1 : now);
    if (first === undefined) return null;
    return isHeld ? Math.max(first.run_at, held_until) : first.run_at;
  }

  return {
    async nextAt(tx, move) {
      const { env_id, now } = move;
      const moments: (number | null)[] = [];
      const next = await free(tx, move).select("run_at").where("run_at", ">", now).orderBy("run_at").limit(1).executeTakeFirst();
      moments.push(next?.run_at ?? null);
      for (const { lane, held_until } of await movingLanes(tx, env_id)) moments.push(await nextOfLane(tx, move, lane, held_until));
      const known = moments.filter((at) => at !== null);
      return known.length === 0 ? null : Math.min(...known);
    },

    async shift(tx, { env_id, now, job_id }, by_ms) {
      const jobs = () => db.in(tx).updateTable("jobs").where("env_id", "=", env_id).where("id", "!=", job_id);
      await jobs()
        .set((row) => ({ eta: row("eta", "-", by_ms) }))
        .where("eta", ">", now)
        .where("run_at", "<=", now)
        .execute();
      await jobs()
        .set((row) => ({ run_at: row("run_at", "-", by_ms), eta: row("eta", "-", by_ms) }))
        .where("run_at", ">", now)
        .execute();
      await db
        .in(tx)
        .updateTable("lanes")
        .set((row) => ({ held_until: row("held_until", "-", by_ms) }))
        .where("env_id", "=", env_id)
        .where("held_until", ">", now)
        .execute();
    },

    async isQuiet(move) {
      const { env_id, now } = move;
      if (loop().inFlight(env_id) > 0) return false;
      if ((await free(null, move).select("id").where("run_at", "<=", now).limit(1).executeTakeFirst()) !== undefined) return false;
      for (const { lane, held_until } of await movingLanes(null, env_id)) {
        if (held_until !== null && held_until > now) continue;
        const first = await firstOf(null, env_id, lane, -1);
        if (first !== undefined && first.run_at <= now) return false;
      }
      return true;
    },

    moved: (env_id, by_ms) => loop().moved(env_id, by_ms),
  };
}
