import type { Database } from "#db/database.ts";
import { isUniqueViolation } from "#db/errors.ts";
import { countRows, newestFirst } from "#db/paging.ts";
import type { TemplateRow, TemplateVersionRow } from "#db/schema-templates.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { TemplateFilter } from "./model.ts";

export function createTemplateStore(db: Database) {
  // Each send by a template reads it.
  const get = db.prepare<{ env_id: number; id: string }, TemplateRow>((q, v) =>
    q.selectFrom("templates").selectAll().where("env_id", "=", v("env_id")).where("id", "=", v("id")),
  );
  const narrow = (env_id: number, by: TemplateFilter) =>
    db.read
      .selectFrom("templates")
      .where("env_id", "=", env_id)
      .$if(by.kind !== undefined, (q) => q.where("kind", "=", by.kind!))
      .$if(by.category !== undefined, (q) => q.where("category", "=", by.category!));

  return {
    /** A name that is taken. */
    isDuplicate: isUniqueViolation,
    /** @param tx null reads the last committed snapshot */
    get: (tx: Tx | null, env_id: number, id: string): Maybe<TemplateRow | undefined> => get.one(tx, { env_id, id }),
    lock: (tx: Tx, env_id: number, id: string) =>
      db
        .in(tx)
        .selectFrom("templates")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .$if(db.engine === "postgres", (query) => query.forUpdate())
        .executeTakeFirst(),
    insert: async (tx: Tx, row: TemplateRow) => {
      await db.in(tx).insertInto("templates").values(row).execute();
    },
    update: async (tx: Tx, { env_id, id, name, category, body, variables, version, updated_at }: TemplateRow) => {
      await db
        .in(tx)
        .updateTable("templates")
        .set({ name, category, body, variables, version, updated_at })
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .execute();
    },
    /** With all of its versions. */
    remove: async (tx: Tx, env_id: number, id: string) => {
      await db.in(tx).deleteFrom("template_versions").where("env_id", "=", env_id).where("template_id", "=", id).execute();
      await db.in(tx).deleteFrom("templates").where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    page: (env_id: number, by: TemplateFilter, before: string | null, offset: number, most: number) =>
      newestFirst(narrow(env_id, by), { before, offset, most }),
    /** Exact for all of an environment's templates; under a filter up to TOTAL_MAX. */
    count: (env_id: number, by: TemplateFilter) => countRows(db, narrow(env_id, by), Object.keys(by).length > 0),
    insertVersion: async (tx: Tx, row: TemplateVersionRow) => {
      await db.in(tx).insertInto("template_versions").values(row).execute();
    },
    version: (env_id: number, template_id: string, version: number) =>
      versionsOf(env_id, template_id).where("version", "=", version).executeTakeFirst(),
    versionPage: (env_id: number, template_id: string, before: number | null, offset: number, most: number) =>
      versionsOf(env_id, template_id)
        .$if(before !== null, (query) => query.where("version", "<", before!))
        .orderBy("version", "desc")
        .offset(offset)
        .limit(most)
        .execute(),
  };

  function versionsOf(env_id: number, template_id: string) {
    return db.read.selectFrom("template_versions").selectAll().where("env_id", "=", env_id).where("template_id", "=", template_id);
  }
}

export type { TemplateRow, TemplateVersionRow };
export type TemplateStore = ReturnType<typeof createTemplateStore>;
