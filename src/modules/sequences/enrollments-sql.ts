import { type RawBuilder, sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Enrollments } from "./service.ts";

/**
 * What happens to those in a sequence when something happens to the sequence. Who waits in a paused one is not due at all, so
 * that looking for what is due costs nothing for them: when they were is kept in their state, in the environment's own time.
 */
export function createEnrollmentStore(db: Database, clock: Clock): Enrollments {
  const isSqlite = db.engine === "sqlite";
  const open = (tx: Tx, env_id: number, sequence_id: string) =>
    db.in(tx).updateTable("enrollments").where("env_id", "=", env_id).where("sequence_id", "=", sequence_id);

  /** @param ahead by how much the environment's time is (ms) */
  const held = (ahead: number): RawBuilder<string> =>
    isSqlite
      ? sql`json_set(state, '$.held_due_at', due_at + ${ahead}, '$.held_why', why)`
      : sql`(state::jsonb || jsonb_build_object('held_due_at', due_at + ${ahead}::bigint, 'held_why', why))::text`;
  const letGo: RawBuilder<string> = isSqlite
    ? sql`json_remove(state, '$.held_due_at', '$.held_why')`
    : sql`(state::jsonb - 'held_due_at' - 'held_why')::text`;
  const heldAt: RawBuilder<number> = isSqlite
    ? sql`json_extract(state, '$.held_due_at')`
    : sql`cast(state::jsonb ->> 'held_due_at' as bigint)`;
  const heldWhy: RawBuilder<string> = isSqlite ? sql`json_extract(state, '$.held_why')` : sql`state::jsonb ->> 'held_why'`;
  const later: RawBuilder<unknown> = isSqlite ? sql`max` : sql`greatest`;

  return {
    async paused(tx, env_id, sequence_id) {
      const ahead = clock.seen(env_id, 0);
      await open(tx, env_id, sequence_id)
        .where("status", "=", "active")
        .where("due_at", "is not", null)
        .set({ state: held(ahead), due_at: null, why: "sequence_paused", updated_at: clock.now(env_id) })
        .execute();
    },
    async resumed(tx, env_id, sequence_id) {
      const ahead = clock.seen(env_id, 0);
      const due_at = isSqlite
        ? sql<number>`${later}(${clock.now()}, coalesce(${heldAt} - ${ahead}, 0))`
        : sql<number>`${later}(${clock.now()}::bigint, coalesce(${heldAt} - ${ahead}::bigint, 0))`;
      await open(tx, env_id, sequence_id)
        .where("status", "=", "active")
        .where("why", "=", "sequence_paused")
        .set({ due_at, why: sql<string>`coalesce(${heldWhy}, 'due')`, state: letGo, updated_at: clock.now(env_id) })
        .execute();
    },
    async archived(tx, env_id, sequence_id) {
      await open(tx, env_id, sequence_id)
        .where("status", "in", ["active", "paused"])
        .set({ due_at: clock.now(), why: "archived", updated_at: clock.now(env_id) })
        .execute();
    },
    async moved(tx, env_id, sequence_id, version, steps) {
      await open(tx, env_id, sequence_id)
        .where("status", "in", ["active", "paused"])
        .where("version", "<>", version)
        .where("step", "in", steps)
        .set({ version, updated_at: clock.now(env_id) })
        .execute();
    },
  };
}
