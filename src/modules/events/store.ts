import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { EventRow } from "#db/schema.ts";
import type { Tx } from "#src/core/tx.ts";

type NewRow = Omit<EventRow, "tx_id" | "seq">;

export function createEventStore(db: Database) {
  // The one writer of SQLite gives the rows their numbers in the order of commits; PostgreSQL's column defaults do there.
  const insert = db.prepare<NewRow>((q, v) =>
    q.insertInto("events").values({
      env_id: v("env_id"),
      id: v("id"),
      type: v("type"),
      subject: v("subject"),
      actor: v("actor"),
      data: v("data"),
      created_at: v("created_at"),
    }),
  );

  return {
    append: (tx: Tx, row: NewRow): void => insert.later(tx, row),
    place: (env_id: number, id: string) =>
      db.read.selectFrom("events").select(["tx_id", "seq"]).where("env_id", "=", env_id).where("id", "=", id).executeTakeFirst(),
    /** In the order of commits. On PostgreSQL nothing is shown that a transaction still running could precede. */
    after: (env_id: number, place: { tx_id: number; seq: number }, types: readonly string[], most: number) =>
      db.read
        .selectFrom("events")
        .selectAll()
        .where("env_id", "=", env_id)
        .where(sql<boolean>`(tx_id, seq) > (${place.tx_id}, ${place.seq})`)
        .where("type", "in", types)
        .$if(db.engine === "postgres", (query) => query.where(sql<boolean>`tx_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`))
        .orderBy("tx_id")
        .orderBy("seq")
        .limit(most)
        .execute(),
  };
}

export type { EventRow };
export type EventStore = ReturnType<typeof createEventStore>;
