import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import type { DeliveryRow, WebhookHourRow, WebhookRow, WebhookStateRow } from "#db/schema-webhooks.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Place } from "#src/modules/events/model.ts";
import { summaryColumns } from "./deliveries-sql.ts";

/** An endpoint and where delivering to it stands. */
export type EndpointRow = WebhookRow & Omit<WebhookStateRow, "env_id" | "webhook_id">;

export type DeliveringStore = ReturnType<typeof createDeliveringStore>;

/** A delivery that is due, without what came of it before, which can be long. */
export type DueRow = Omit<DeliveryRow, "attempts">;

/** What came of an attempt at a delivery that has a row. */
type Result = Pick<DeliveryRow, "env_id" | "id" | "status" | "tries" | "next_attempt_at" | "response_status" | "updated_at">;

/** The end of a list that goes on: what stands between, and what follows. */
interface More {
  comma: string;
  more: string;
}

/** The SQL of delivering, which serves every environment. */
export function createDeliveringStore(db: Database) {
  const insert = db.prepare<DeliveryRow>((q, v) =>
    q
      .insertInto("deliveries")
      .values({
        env_id: v("env_id"),
        id: v("id"),
        webhook_id: v("webhook_id"),
        event_id: v("event_id"),
        event_type: v("event_type"),
        status: v("status"),
        tries: v("tries"),
        next_attempt_at: v("next_attempt_at"),
        response_status: v("response_status"),
        is_test: v("is_test"),
        replayed_at: v("replayed_at"),
        created_at: v("created_at"),
        updated_at: v("updated_at"),
        body: v("body"),
        attempts: v("attempts"),
      })
      // Another owner of the lane, or a replay, was first: what came of the last attempt counts.
      .onConflict((conflict) =>
        conflict.columns(["env_id", "id"]).doUpdateSet((row) => ({
          status: row.ref("excluded.status"),
          tries: row.ref("excluded.tries"),
          next_attempt_at: row.ref("excluded.next_attempt_at"),
          response_status: row.ref("excluded.response_status"),
          updated_at: row.ref("excluded.updated_at"),
          attempts: row.ref("excluded.attempts"),
        })),
      ),
  );
  // The row's list is not read and written back: what was forgotten of it meanwhile would come back.
  const withMore = ({ comma, more }: More) =>
    sql<string>`(case when attempts = '[]' then '[' else substr(attempts, 1, length(attempts) - 1) || ${comma} end) || ${more}`;
  const update = db.prepare<Result & More & { was_replayed_at: number }>((q, v) =>
    q
      .updateTable("deliveries")
      .set({
        status: v("status"),
        tries: v("tries"),
        next_attempt_at: v("next_attempt_at"),
        response_status: v("response_status"),
        updated_at: v("updated_at"),
        attempts: withMore({ comma: v("comma"), more: v("more") }),
      })
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id"))
      .where(sql<number>`coalesce(replayed_at, 0)`, "=", v("was_replayed_at")),
  );
  const addAttempts = db.prepare<Pick<Result, "env_id" | "id" | "updated_at"> & More>((q, v) =>
    q
      .updateTable("deliveries")
      .set({ attempts: withMore({ comma: v("comma"), more: v("more") }), updated_at: v("updated_at") })
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id")),
  );
  const advance = db.prepare<WebhookStateRow & { from_tx: number; from_seq: number }>((q, v) =>
    q
      .updateTable("webhook_states")
      .set({
        tx_id: v("tx_id"),
        seq: v("seq"),
        failing_since: v("failing_since"),
        last_success_at: v("last_success_at"),
        accepted: v("accepted"),
      })
      .where("env_id", "=", v("env_id"))
      .where("webhook_id", "=", v("webhook_id"))
      .where("tx_id", "=", v("from_tx"))
      .where("seq", "=", v("from_seq")),
  );
  const count = db.prepare<WebhookHourRow>((q, v) =>
    q
      .insertInto("webhook_hours")
      .values({
        env_id: v("env_id"),
        webhook_id: v("webhook_id"),
        hour: v("hour"),
        attempts: v("attempts"),
        failures: v("failures"),
        delivered: v("delivered"),
        dead_letters: v("dead_letters"),
        duration_ms: v("duration_ms"),
        duration_ms_max: v("duration_ms_max"),
      })
      .onConflict((conflict) =>
        conflict.columns(["env_id", "webhook_id", "hour"]).doUpdateSet((row) => ({
          attempts: sql<number>`webhook_hours.attempts + ${row.ref("excluded.attempts")}`,
          failures: sql<number>`webhook_hours.failures + ${row.ref("excluded.failures")}`,
          delivered: sql<number>`webhook_hours.delivered + ${row.ref("excluded.delivered")}`,
          dead_letters: sql<number>`webhook_hours.dead_letters + ${row.ref("excluded.dead_letters")}`,
          duration_ms: sql<number>`webhook_hours.duration_ms + ${row.ref("excluded.duration_ms")}`,
          duration_ms_max: sql<number>`case when webhook_hours.duration_ms_max > ${row.ref("excluded.duration_ms_max")} then webhook_hours.duration_ms_max else ${row.ref("excluded.duration_ms_max")} end`,
        })),
      ),
  );
  const due = db.prepare<{ env_id: number; webhook_id: string; now: number; most: number }, DueRow>((q, v) =>
    q
      .selectFrom("deliveries")
      .select([...summaryColumns, "body"])
      .where("env_id", "=", v("env_id"))
      .where("webhook_id", "=", v("webhook_id"))
      .where("next_attempt_at", "<=", v("now"))
      .orderBy("next_attempt_at")
      .limit(v("most")),
  );
  const nextDue = db.prepare<{ env_id: number; webhook_id: string; now: number }, { at: number | null }>((q, v) =>
    q
      .selectFrom("deliveries")
      .select("next_attempt_at as at")
      .where("env_id", "=", v("env_id"))
      .where("webhook_id", "=", v("webhook_id"))
      .where("next_attempt_at", ">", v("now"))
      .orderBy("next_attempt_at")
      .limit(1),
  );

  const endpoints = () =>
    db.read
      .selectFrom("webhooks")
      .innerJoin("webhook_states", (join) =>
        join.onRef("webhook_states.env_id", "=", "webhooks.env_id").onRef("webhook_states.webhook_id", "=", "webhooks.id"),
      )
      .selectAll("webhooks")
      .select(["tx_id", "seq", "failing_since", "last_success_at", "accepted"]);

  return {
    endpoints: (): Promise<EndpointRow[]> => endpoints().where("deleted_at", "is", null).execute(),
    endpoint: (env_id: number, id: string): Promise<EndpointRow | undefined> =>
      endpoints().where("webhooks.env_id", "=", env_id).where("webhooks.id", "=", id).executeTakeFirst(),
    /** Which of these deliveries have a row. */
    async known(env_id: number, ids: readonly string[]): Promise<ReadonlySet<string>> {
      if (ids.length === 0) return new Set();
      const rows = await db.read
        .selectFrom("deliveries")
        .select("id")
        .where("env_id", "=", env_id)
        .where("id", "in", listOf(db.engine, JSON.stringify(ids)))
        .execute();
      return new Set(rows.map(({ id }) => id));
    },
    /** A delivery after its first attempt. */
    insert: (tx: Tx, row: DeliveryRow): void => insert.later(tx, row),
    /**
     * A delivery after a further attempt.
     * @param attempts JSON list of those that were made since the row was read
     * @param replayed_at when the one that was attempted had been replayed
     * @returns false when it was replayed again meanwhile: then it is as the replay left it, and has that attempt
     */
    async update(tx: Tx, row: Result, attempts: string, replayed_at: number | null): Promise<boolean> {
      const list = { comma: attempts === "[]" ? "" : ",", more: attempts.slice(1) };
      if ((await update.run(tx, { ...row, ...list, was_replayed_at: replayed_at ?? 0 })) > 0) return true;
      const { env_id, id, updated_at } = row;
      return (await addAttempts.run(tx, { env_id, id, ...list, updated_at })) === 0;
    },
    /** Moves an endpoint's place on. @returns false when somebody else has moved it meanwhile: then nothing is written */
    async advance(tx: Tx, from: Place, row: WebhookStateRow): Promise<boolean> {
      return (await advance.run(tx, { ...row, from_tx: from.tx_id, from_seq: from.seq })) > 0;
    },
    count: (tx: Tx, row: WebhookHourRow): void => count.later(tx, row),
    /** Deliveries whose next attempt is due, the one that waits longest first. */
    due: (env_id: number, webhook_id: string, now: number, most: number) => due.all(null, { env_id, webhook_id, now, most }),
    /** When the next attempt is due after a time (ms). */
    nextDue: async (env_id: number, webhook_id: string, now: number): Promise<number | null> =>
      (await nextDue.one(null, { env_id, webhook_id, now }))?.at ?? null,
    /** Ends deliveries for good. @returns whether it was enabled */
    async disable(tx: Tx, env_id: number, id: string, reason: string, now: number): Promise<boolean> {
      const result = await db
        .in(tx)
        .updateTable("webhooks")
        .set({ disabled_at: now, disabled_reason: reason, updated_at: now })
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .where("disabled_at", "is", null)
        .where("deleted_at", "is", null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}

export type { DeliveryRow, WebhookHourRow };
