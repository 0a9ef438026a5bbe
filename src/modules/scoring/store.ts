import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import type { ContactPointsRow, ScoreRuleRow, ScoreSettingsRow } from "#db/schema-people.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Lead } from "./model.ts";

const leadColumns = [
  ...(["row", "id", "external_id", "telegram_id", "username", "email", "phone", "name", "first_name", "last_name"] as const),
  ...(["language", "timezone", "consent", "tags", "fields"] as const),
] as const satisfies (keyof Lead)[];

export function createScoringStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  // Each write of a contact, and each group of outcomes of messages to contacts, asks for these.
  const rules = db.prepare<{ env_id: number }, ScoreRuleRow>((q, v) =>
    q.selectFrom("score_rules").selectAll().where("env_id", "=", v("env_id")).orderBy("id"),
  );
  const settings = db.prepare<{ env_id: number }, ScoreSettingsRow>((q, v) =>
    q.selectFrom("score_settings").selectAll().where("env_id", "=", v("env_id")),
  );
  const points = db.prepare<{ env_id: number; rows: string }, ContactPointsRow>((q, v) =>
    q
      .selectFrom("contact_points")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("contact_row", "in", sql<number>`(select cast(value as bigint) from ${listOf(db.engine, v("rows"))} as listed)`),
  );
  const leads = db.prepare<{ env_id: number; ids: string }, Lead>((q, v) =>
    q
      .selectFrom("contacts")
      .select(leadColumns)
      .where("env_id", "=", v("env_id"))
      .where("id", "in", listOf(db.engine, v("ids")))
      .where("deleted_at", "is", null)
      .orderBy("id")
      .$if(!isSqlite, (some) => some.forUpdate()),
  );
  const addPoints = db.prepare<ContactPointsRow>((q, v) =>
    q
      .insertInto("contact_points")
      .values({
        ...{ env_id: v("env_id"), contact_row: v("contact_row"), rule_id: v("rule_id"), decay_days: v("decay_days"), day: v("day") },
        ...{ points: v("points"), count: v("count"), last_at: v("last_at"), fades_at: v("fades_at") },
      })
      .onConflict((conflict) =>
        conflict.columns(["env_id", "contact_row", "rule_id", "decay_days", "day"]).doUpdateSet({
          points: sql`contact_points.points + excluded.points`,
          count: sql`contact_points.count + excluded.count`,
          last_at: sql`case when excluded.last_at > contact_points.last_at then excluded.last_at else contact_points.last_at end`,
        }),
      ),
  );
  const ruleOf = (q: Database["read"], env_id: number, id: string) =>
    q.selectFrom("score_rules").selectAll().where("env_id", "=", env_id).where("id", "=", id);
  const remove = (tx: Tx, { env_id, contact_row, rule_id, decay_days, day }: ContactPointsRow) =>
    db
      .in(tx)
      .deleteFrom("contact_points")
      .where("env_id", "=", env_id)
      .where("contact_row", "=", contact_row)
      .where("rule_id", "=", rule_id)
      .where("decay_days", "=", decay_days)
      .where("day", "=", day)
      .execute();

  return {
    /** @param tx null reads the last committed snapshot */
    rules: (tx: Tx | null, env_id: number): Maybe<ScoreRuleRow[]> => rules.all(tx, { env_id }),
    /** Others that make a rule wait, so that together they don't make too many. */
    async countAlone(tx: Tx, env_id: number): Promise<number> {
      if (!isSqlite) await sql`select pg_advisory_xact_lock(hashtextextended(${`score rules ${env_id}`}, 7421))`.execute(db.in(tx));
      return (await rules.all(tx, { env_id })).length;
    },
    rule: (env_id: number, id: string) => ruleOf(db.read, env_id, id).executeTakeFirst(),
    lockRule: (tx: Tx, env_id: number, id: string) =>
      ruleOf(db.in(tx), env_id, id)
        .$if(!isSqlite, (query) => query.forUpdate())
        .executeTakeFirst(),
    async insertRule(tx: Tx, row: ScoreRuleRow): Promise<void> {
      await db.in(tx).insertInto("score_rules").values(row).execute();
    },
    async updateRule(tx: Tx, { env_id, id, name, points, decay_days, enabled, updated_at }: ScoreRuleRow): Promise<void> {
      const set = { name, points, decay_days, enabled, updated_at };
      await db.in(tx).updateTable("score_rules").set(set).where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    async removeRule(tx: Tx, env_id: number, id: string): Promise<void> {
      await db.in(tx).deleteFrom("score_rules").where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    page: (env_id: number, before: string | null, offset: number, most: number) =>
      db.read
        .selectFrom("score_rules")
        .selectAll()
        .where("env_id", "=", env_id)
        .$if(before !== null, (query) => query.where("id", "<", before!))
        .orderBy("id", "desc")
        .offset(offset)
        .limit(most)
        .execute(),

    /** @param tx null reads the last committed snapshot */
    settings: (tx: Tx | null, env_id: number): Maybe<ScoreSettingsRow | undefined> => settings.one(tx, { env_id }),
    /** As `settings`; who changes them waits for others that do, also where there are none yet. */
    async lockSettings(tx: Tx, env_id: number): Promise<ScoreSettingsRow | undefined> {
      if (!isSqlite) await sql`select pg_advisory_xact_lock(hashtextextended(${`score settings ${env_id}`}, 7421))`.execute(db.in(tx));
      return settings.one(tx, { env_id });
    },
    async putSettings(tx: Tx, row: ScoreSettingsRow): Promise<void> {
      const { thresholds, updated_at } = row;
      await db
        .in(tx)
        .insertInto("score_settings")
        .values(row)
        .onConflict((conflict) => conflict.columns(["env_id"]).doUpdateSet({ thresholds, updated_at }))
        .execute();
    },

    /** Contacts that are there. On PostgreSQL they wait for whoever changes them, in one order. */
    lockLeads: (tx: Tx, env_id: number, ids: readonly string[]): Maybe<Lead[]> => leads.all(tx, { env_id, ids: JSON.stringify(ids) }),
    /** @param tx null reads the last committed snapshot */
    points: (tx: Tx | null, env_id: number, rows: readonly number[]): Maybe<ContactPointsRow[]> =>
      points.all(tx, { env_id, rows: JSON.stringify(rows) }),
    /** Adds to those of the same day. */
    addPoints: (tx: Tx, row: ContactPointsRow): void => addPoints.later(tx, row),
    async forgetContact(tx: Tx, env_id: number, contact_row: number): Promise<void> {
      await db.in(tx).deleteFrom("contact_points").where("env_id", "=", env_id).where("contact_row", "=", contact_row).execute();
    },
    /** @returns how many rows of a rule it removed, at most so many */
    async forgetRule(tx: Tx, env_id: number, rule_id: string, most: number): Promise<number> {
      const rows = await db
        .in(tx)
        .selectFrom("contact_points")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("rule_id", "=", rule_id)
        .orderBy("contact_row")
        .limit(most)
        .execute();
      for (const row of rows) await remove(tx, row);
      return rows.length;
    },
    /** Of all environments. @returns how many rows that count no more it removed, at most so many */
    async removeFaded(tx: Tx, now: number, most: number): Promise<number> {
      const rows = await db
        .in(tx)
        .selectFrom("contact_points")
        .selectAll()
        .where("fades_at", "is not", null)
        .where("fades_at", "<=", now)
        .orderBy("fades_at")
        .limit(most)
        .execute();
      for (const row of rows) await remove(tx, row);
      return rows.length;
    },
  };
}

export type { ContactPointsRow, ScoreRuleRow };
export type ScoringStore = ReturnType<typeof createScoringStore>;
