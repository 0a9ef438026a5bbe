import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { isAfterPlace } from "#db/place.ts";
import type { WebhookHourRow, WebhookRow, WebhookStateRow } from "#db/schema-webhooks.ts";
import { TOTAL_MAX } from "#src/core/page.ts";
import type { Tx } from "#src/core/tx.ts";
import { laneOf } from "./lane.ts";

/** With what delivering keeps of it. */
export type WebhookWithState = WebhookRow & Pick<WebhookStateRow, "failing_since" | "last_success_at" | "tx_id" | "seq">;

/** A place in the event log. */
type Place = Pick<WebhookStateRow, "tx_id" | "seq">;
type Sums = Omit<WebhookHourRow, "env_id" | "webhook_id">;

export function createWebhookStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  const living = (kysely: Database["read"], env_id: number) =>
    kysely
      .selectFrom("webhooks")
      .innerJoin("webhook_states", (join) =>
        join.onRef("webhook_states.env_id", "=", "webhooks.env_id").onRef("webhook_states.webhook_id", "=", "webhooks.id"),
      )
      .selectAll("webhooks")
      .select(["failing_since", "last_success_at", "tx_id", "seq"])
      .where("webhooks.env_id", "=", env_id)
      .where("deleted_at", "is", null);
  const counted = (kysely: Database["read"], env_id: number) =>
    kysely
      .selectFrom("webhooks")
      .select(({ fn }) => fn.countAll<number>().as("total"))
      .where("env_id", "=", env_id)
      .where("deleted_at", "is", null);

  /** Deletes up to so many rows of an endpoint. @returns how many */
  async function forgetSome(tx: Tx, table: "deliveries" | "webhook_hours", env_id: number, webhook_id: string, most: number) {
    const key = table === "deliveries" ? "id" : "hour";
    const { numAffectedRows } = await sql`
      delete from ${sql.table(table)} where env_id = ${env_id} and webhook_id = ${webhook_id} and ${sql.ref(key)} in (
        select ${sql.ref(key)} from ${sql.table(table)} where env_id = ${env_id} and webhook_id = ${webhook_id}
        order by ${sql.ref(key)} limit ${most})`.execute(db.in(tx));
    return Number(numAffectedRows ?? 0);
  }

  return {
    get: (env_id: number, id: string): Promise<WebhookWithState | undefined> =>
      living(db.read, env_id).where("id", "=", id).executeTakeFirst(),
    /** On PostgreSQL it waits for whoever changes it. */
    lock: (tx: Tx, env_id: number, id: string): Promise<WebhookWithState | undefined> =>
      living(db.in(tx), env_id)
        .where("id", "=", id)
        .$if(!isSqlite, (query) => query.forUpdate("webhooks"))
        .executeTakeFirst(),
    /** How many endpoints there are; others that make one wait, so that together they don't make too many. */
    async countAlone(tx: Tx, env_id: number): Promise<number> {
      if (!isSqlite) await sql`select pg_advisory_xact_lock(hashtextextended(${`webhooks ${env_id}`}, 7421))`.execute(db.in(tx));
      return (await counted(db.in(tx), env_id).executeTakeFirstOrThrow()).total;
    },
    /** @param place in the event log, behind which it gets what it asks for */
    async insert(tx: Tx, row: WebhookRow, place: Place): Promise<void> {
      const state = { env_id: row.env_id, webhook_id: row.id, ...place, failing_since: null, last_success_at: null, accepted: null };
      await db.in(tx).insertInto("webhooks").values(row).execute();
      await db.in(tx).insertInto("webhook_states").values(state).execute();
    },
    async update(tx: Tx, { env_id, id, ...row }: WebhookRow): Promise<void> {
      await db.in(tx).updateTable("webhooks").set(row).where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    async updateState(tx: Tx, { env_id, id }: Pick<WebhookRow, "env_id" | "id">, change: Partial<Place & { failing_since: null }>) {
      await db.in(tx).updateTable("webhook_states").set(change).where("env_id", "=", env_id).where("webhook_id", "=", id).execute();
    },
    page: (env_id: number, before: string | null, offset: number, most: number): Promise<WebhookWithState[]> =>
      living(db.read, env_id)
        .$if(before !== null, (query) => query.where("id", "<", before!))
        .orderBy("id", "desc")
        .offset(offset)
        .limit(most)
        .execute(),
    /** There are never so many that counting takes long. */
    count: async (env_id: number): Promise<number> => (await counted(db.read, env_id).executeTakeFirstOrThrow()).total,
    /** Some of whatever environment: the system door by which a start tries its secret. */
    someSealed: (most: number) =>
      db.read.selectFrom("webhooks").select(["env_id", "id", "secrets"]).where("deleted_at", "is", null).limit(most).execute(),
    /** Those of them that have been deleted and not been forgotten yet. */
    async deleted(env_id: number): Promise<string[]> {
      const rows = await db.read
        .selectFrom("webhooks")
        .select("id")
        .where("env_id", "=", env_id)
        .where("deleted_at", "is not", null)
        .execute();
      return rows.map(({ id }) => id);
    },
    /** All that there are or that are not forgotten yet. */
    async ids(tx: Tx | null, env_id: number): Promise<string[]> {
      const rows = await (tx === null ? db.read : db.in(tx)).selectFrom("webhooks").select("id").where("env_id", "=", env_id).execute();
      return rows.map(({ id }) => id);
    },

    hours: (env_id: number, webhook_id: string, from: number): Promise<Sums[]> =>
      db.read
        .selectFrom("webhook_hours")
        .select(["hour", "attempts", "failures", "delivered", "dead_letters", "duration_ms", "duration_ms_max"])
        .where("env_id", "=", env_id)
        .where("webhook_id", "=", webhook_id)
        .where("hour", ">=", from)
        .orderBy("hour")
        .execute(),
    /** Events behind a place, counted beside the main thread up to TOTAL_MAX. @param types null for all */
    async waiting(env_id: number, place: Place, types: readonly string[] | null) {
      const behind = db.read
        .selectFrom("events")
        .select(["created_at"])
        .where("env_id", "=", env_id)
        .where(isAfterPlace(db.engine, place))
        .$if(types !== null, (query) => query.where("type", "in", [...types!]))
        .orderBy("tx_id")
        .orderBy("seq")
        .limit(TOTAL_MAX);
      const [row] = await db.slowly(
        db.read
          .selectFrom(behind.as("behind"))
          .select(({ fn }) => [fn.countAll<number>().as("events"), fn.min<number | null>("created_at").as("oldest_at")]),
      );
      return { events: row?.events ?? 0, oldest_at: row?.oldest_at ?? null };
    },

    /**
     * Takes away some of what a deleted endpoint has left, and in the end the endpoint.
     * @returns whether nothing is left
     */
    async forget(tx: Tx, env_id: number, webhook_id: string, most: number): Promise<boolean> {
      if ((await forgetSome(tx, "deliveries", env_id, webhook_id, most)) > 0) return false;
      if ((await forgetSome(tx, "webhook_hours", env_id, webhook_id, most)) > 0) return false;
      const kysely = db.in(tx);
      await kysely.deleteFrom("webhook_states").where("env_id", "=", env_id).where("webhook_id", "=", webhook_id).execute();
      await kysely.deleteFrom("lanes").where("env_id", "=", env_id).where("lane", "=", laneOf(webhook_id)).execute();
      await kysely.deleteFrom("webhooks").where("env_id", "=", env_id).where("id", "=", webhook_id).execute();
      return true;
    },
  };
}

export type { WebhookRow };
export type WebhookStore = ReturnType<typeof createWebhookStore>;
