import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Lead scoring: its rules, its thresholds, and the points that contacts have got for events. */
export async function scoring(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = db;
  const clustered = engine === "sqlite" ? sql`without rowid` : sql``;
  await schema
    .createTable("score_rules")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("points", "integer", (c) => c.notNull())
    .addColumn("condition", "text", (c) => c.notNull())
    .addColumn("decay_days", "integer")
    .addColumn("enabled", "integer", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("score_rules_pk", ["env_id", "id"])
    .modifyEnd(clustered)
    .execute();

  await schema
    .createTable("score_settings")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("thresholds", "text", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("score_settings_pk", ["env_id"])
    .modifyEnd(clustered)
    .execute();

  await schema
    .createTable("contact_points")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("contact_row", "bigint", (c) => c.notNull())
    .addColumn("rule_id", "text", (c) => c.notNull())
    .addColumn("decay_days", "integer", (c) => c.notNull())
    .addColumn("day", "integer", (c) => c.notNull())
    .addColumn("points", "bigint", (c) => c.notNull())
    .addColumn("count", "bigint", (c) => c.notNull())
    .addColumn("last_at", "bigint", (c) => c.notNull())
    .addColumn("fades_at", "bigint")
    .addPrimaryKeyConstraint("contact_points_pk", ["env_id", "contact_row", "rule_id", "decay_days", "day"])
    .modifyEnd(clustered)
    .execute();
  // A deleted rule's points are looked for by the rule, faded ones by their time.
  await schema.createIndex("contact_points_rule").on("contact_points").columns(["env_id", "rule_id", "contact_row"]).execute();
  await schema
    .createIndex("contact_points_faded")
    .on("contact_points")
    .column("fades_at")
    .where(sql.ref("fades_at"), "is not", null)
    .execute();
}
