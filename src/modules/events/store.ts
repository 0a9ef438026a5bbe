import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import { isAfterPlace } from "#db/place.ts";
import type { EventRow } from "#db/schema.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Place } from "./model.ts";
import { createScan, type Scan } from "./scan-sql.ts";

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

  const isShown = sql<number>`(case when tx_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint then 1 else 0 end)`;
  const page = db.prepare<{ env_id: number; tx_id: number; seq: number; most: number }, EventRow & { shown: number }>((q, v) =>
    q
      .selectFrom("events")
      .selectAll()
      .select((db.engine === "sqlite" ? sql<number>`1` : isShown).as("shown"))
      .where("env_id", "=", v("env_id"))
      .where(isAfterPlace(db.engine, { tx_id: db.engine === "sqlite" ? 0 : v("tx_id"), seq: v("seq") }))
      .orderBy("tx_id")
      .orderBy("seq")
      .limit(v("most")),
  );

  return {
    append: (tx: Tx, row: NewRow): void => insert.later(tx, row),
    place: (env_id: number, id: string) =>
      db.read.selectFrom("events").select(["tx_id", "seq"]).where("env_id", "=", env_id).where("id", "=", id).executeTakeFirst(),
    /**
     * What stands after a place, in the order of commits, up to what a transaction that still runs could precede.
     * @returns with `hidden` true when there is such a one
     */
    async page(env_id: number, { tx_id, seq }: Place, most: number): Promise<{ rows: EventRow[]; hidden: boolean }> {
      const rows = await page.all(null, { env_id, tx_id, seq, most });
      const end = rows.findIndex(({ shown }) => shown === 0);
      return end === -1 ? { rows, hidden: false } : { rows: rows.slice(0, end), hidden: true };
    },
    byIds: (env_id: number, ids: readonly string[]): Promise<EventRow[]> =>
      db.read
        .selectFrom("events")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "in", listOf(db.engine, JSON.stringify(ids)))
        .execute(),
    /** Behind everything that is there: behind what a transaction has written, or what is committed. */
    async head(tx: Tx | null, env_id: number): Promise<Place> {
      const reader = tx === null ? db.read : db.in(tx);
      if (db.engine === "sqlite") {
        const row = await reader
          .selectFrom("events")
          .select("seq")
          .where("env_id", "=", env_id)
          .orderBy("tx_id", "desc")
          .orderBy("seq", "desc")
          .limit(1)
          .executeTakeFirst();
        return { tx_id: 0, seq: row?.seq ?? 0 };
      }
      const current = tx === null ? sql<number>`pg_snapshot_xmin(pg_current_snapshot())` : sql<number>`pg_current_xact_id()`;
      const row = await reader.selectNoFrom(sql<number>`${current}::text::bigint`.as("tx_id")).executeTakeFirstOrThrow();
      return { tx_id: row.tx_id, seq: 0 };
    },
    scan: createScan(db),
  };
}

export type { EventRow, Scan };
export type EventStore = ReturnType<typeof createEventStore>;
