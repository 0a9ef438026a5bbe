import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Endpoints, the place of each in the event log, and what was delivered to them. */
export async function webhooks({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  const clustered = engine === "sqlite" ? sql`without rowid` : sql``;

  await schema
    .createTable("webhooks")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("url", "text", (c) => c.notNull())
    .addColumn("events", "text", (c) => c.notNull())
    .addColumn("filter", "text")
    .addColumn("description", "text")
    .addColumn("headers", "text")
    .addColumn("secrets", "text", (c) => c.notNull())
    .addColumn("signature", "text")
    .addColumn("retry", "text")
    .addColumn("paused", "integer", (c) => c.notNull())
    .addColumn("disabled_at", "bigint")
    .addColumn("disabled_reason", "text")
    .addColumn("deleted_at", "bigint")
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("webhooks_pk", ["env_id", "id"])
    .modifyEnd(clustered)
    .execute();

  await schema
    .createTable("webhook_states")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("webhook_id", "text", (c) => c.notNull())
    .addColumn("tx_id", "bigint", (c) => c.notNull())
    .addColumn("seq", "bigint", (c) => c.notNull())
    .addColumn("failing_since", "bigint")
    .addColumn("last_success_at", "bigint")
    .addColumn("accepted", "integer")
    .addPrimaryKeyConstraint("webhook_states_pk", ["env_id", "webhook_id"])
    .modifyEnd(clustered)
    .execute();

  // Wide rows, which would overflow the pages of a clustered tree.
  await schema
    .createTable("deliveries")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("webhook_id", "text", (c) => c.notNull())
    .addColumn("event_id", "text", (c) => c.notNull())
    .addColumn("event_type", "text", (c) => c.notNull())
    .addColumn("status", "text", (c) => c.notNull())
    .addColumn("tries", "integer", (c) => c.notNull())
    .addColumn("next_attempt_at", "bigint")
    .addColumn("response_status", "integer")
    .addColumn("is_test", "integer", (c) => c.notNull())
    .addColumn("replayed_at", "bigint")
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addColumn("body", "text")
    .addColumn("attempts", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("deliveries_pk", ["env_id", "id"])
    .execute();
  await schema.createIndex("deliveries_webhook").on("deliveries").columns(["env_id", "webhook_id", "id"]).execute();
  await schema
    .createIndex("deliveries_unsettled")
    .on("deliveries")
    .columns(["env_id", "status", "id"])
    .where(sql.ref("status"), "<>", "delivered")
    .execute();
  await schema
    .createIndex("deliveries_webhook_unsettled")
    .on("deliveries")
    .columns(["env_id", "webhook_id", "status", "id"])
    .where(sql.ref("status"), "<>", "delivered")
    .execute();
  await schema
    .createIndex("deliveries_due")
    .on("deliveries")
    .columns(["env_id", "webhook_id", "next_attempt_at"])
    .where(sql.ref("next_attempt_at"), "is not", null)
    .execute();

  await schema
    .createTable("webhook_hours")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("webhook_id", "text", (c) => c.notNull())
    .addColumn("hour", "bigint", (c) => c.notNull())
    .addColumn("attempts", "bigint", (c) => c.notNull())
    .addColumn("failures", "bigint", (c) => c.notNull())
    .addColumn("delivered", "bigint", (c) => c.notNull())
    .addColumn("dead_letters", "bigint", (c) => c.notNull())
    .addColumn("duration_ms", "bigint", (c) => c.notNull())
    .addColumn("duration_ms_max", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("webhook_hours_pk", ["env_id", "webhook_id", "hour"])
    .modifyEnd(clustered)
    .execute();
}
