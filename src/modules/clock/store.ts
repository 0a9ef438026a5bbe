import type { Database } from "#db/database.ts";
import { isAfterPlace, isUpToPlace } from "#db/place.ts";
import type { ClockRow } from "#db/schema-clocks.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Place } from "#src/modules/events/model.ts";
import type { Deliveries } from "./model.ts";

const HOUR_MS = 3_600_000;

export type ClockStore = ReturnType<typeof createClockStore>;

export function createClockStore(db: Database) {
  const offset = db.prepare<{ env_id: number }, { offset_ms: number }>((q, v) =>
    q
      .selectFrom("clocks")
      .select("offset_ms")
      .where("env_id", "=", v("env_id"))
      .$if(db.engine === "postgres", (query) => query.forShare()),
  );

  return {
    find: (env_id: number): Promise<ClockRow | undefined> =>
      db.read.selectFrom("clocks").selectAll().where("env_id", "=", env_id).executeTakeFirst(),
    all: (): Promise<ClockRow[]> => db.read.selectFrom("clocks").selectAll().execute(),
    /** By how much the environment is ahead; until this transaction ends nobody moves it. */
    offset: (tx: Tx, env_id: number): Maybe<{ offset_ms: number } | undefined> => offset.one(tx, { env_id }),
    /** The row, which is made where there is none; others who want it for a move wait. */
    async take(tx: Tx, env_id: number, now: number): Promise<ClockRow> {
      const fresh = { env_id, offset_ms: 0, job_id: null, updated_at: now };
      return db
        .in(tx)
        .insertInto("clocks")
        .values(fresh)
        .onConflict((conflict) => conflict.column("env_id").doUpdateSet({ updated_at: now }))
        .returningAll()
        .executeTakeFirstOrThrow();
    },
    /** The row for a step of a move; undefined while somebody writes who goes by it: to wait for them could be to wait for each other. */
    hold: (tx: Tx, env_id: number): Promise<ClockRow | undefined> =>
      db
        .in(tx)
        .selectFrom("clocks")
        .selectAll()
        .where("env_id", "=", env_id)
        .$if(db.engine === "postgres", (query) => query.forUpdate().skipLocked())
        .executeTakeFirst(),
    async set(tx: Tx, env_id: number, values: Partial<Omit<ClockRow, "env_id">>): Promise<void> {
      await db.in(tx).updateTable("clocks").set(values).where("env_id", "=", env_id).execute();
    },
    /** Where the log ends. */
    async newest(tx: Tx | null, env_id: number): Promise<Place> {
      const query = (tx === null ? db.read : db.in(tx)).selectFrom("events").select(["tx_id", "seq"]).where("env_id", "=", env_id);
      const row = await query.orderBy("tx_id", "desc").orderBy("seq", "desc").limit(1).executeTakeFirst();
      return row ?? { tx_id: 0, seq: 0 };
    },
    /** How many events of each type stand behind a place, up to another. */
    async events(env_id: number, after: Place, upTo: Place): Promise<{ type: string; count: number }[]> {
      const rows = await db.slowly(
        db.read
          .selectFrom("events")
          .select(({ fn }) => ["type", fn.countAll<number | string>().as("count")])
          .where("env_id", "=", env_id)
          .where(isAfterPlace(db.engine, after))
          .where(isUpToPlace(db.engine, upTo))
          .groupBy("type"),
      );
      return rows.map(({ type, count }) => ({ type, count: Number(count) }));
    },
    /** What attempts have come to since the beginning of the hour of a time (ms, the environment's). */
    async deliveries(tx: Tx | null, env_id: number, since: number): Promise<Deliveries> {
      const row = await (tx === null ? db.read : db.in(tx))
        .selectFrom("webhook_hours")
        .select(({ fn }) => [
          fn.sum<number | string | null>("attempts").as("attempts"),
          fn.sum<number | string | null>("delivered").as("delivered"),
          fn.sum<number | string | null>("dead_letters").as("dead_letters"),
        ])
        .where("env_id", "=", env_id)
        .where("hour", ">=", Math.floor(since / HOUR_MS) * HOUR_MS)
        .executeTakeFirst();
      return {
        attempts: Number(row?.attempts ?? 0),
        delivered: Number(row?.delivered ?? 0),
        dead_letters: Number(row?.dead_letters ?? 0),
      };
    },
  };
}
