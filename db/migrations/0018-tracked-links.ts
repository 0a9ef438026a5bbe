import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Links in messages of broadcasts that go by way of us, so that it is known who has opened them. */
export async function trackedLinks({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  const clustered = engine === "sqlite" ? sql`without rowid` : sql``;
  await schema
    .alterTable("broadcast_states")
    .addColumn("clicked", "integer", (c) => c.notNull().defaultTo(0))
    .execute();
  await schema.alterTable("broadcast_recipients").addColumn("clicked_at", "bigint").execute();
  await schema
    .createTable("tracked_links")
    .addColumn("token", "text", (c) => c.notNull())
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("broadcast_id", "text", (c) => c.notNull())
    .addColumn("contact_id", "text", (c) => c.notNull())
    .addColumn("variant", "text", (c) => c.notNull())
    .addColumn("address", "text", (c) => c.notNull())
    .addColumn("clicked_at", "bigint")
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("tracked_links_pk", ["env_id", "broadcast_id", "contact_id", "token"])
    .modifyEnd(clustered)
    .execute();
  // Whoever opens one shows nothing but its token.
  await schema.createIndex("tracked_links_token").on("tracked_links").columns(["token"]).unique().execute();
  await schema.createIndex("tracked_links_contact").on("tracked_links").columns(["env_id", "contact_id"]).execute();
}
