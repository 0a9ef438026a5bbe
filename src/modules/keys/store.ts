import type { Database } from "#db/database.ts";
import type { KeyRow } from "#db/schema.ts";
import type { Tx } from "#src/core/tx.ts";

/** A key with the environment and workspace that it opens. */
export interface FoundKey extends KeyRow {
  environment_id: string;
  environment_name: string;
  mode: string;
  workspace_number: number;
  workspace_id: string;
  workspace_name: string;
  plan: string | null;
}

export function createKeyStore(db: Database) {
  const byHash = db.prepare<{ hash: string }, FoundKey>((q, v) =>
    q
      .selectFrom("keys")
      .innerJoin("environments", "environments.id", "keys.env_id")
      .innerJoin("workspaces", "workspaces.id", "environments.workspace_id")
      .selectAll("keys")
      .select([
        "environments.public_id as environment_id",
        "environments.name as environment_name",
        "environments.mode",
        "workspaces.id as workspace_number",
        "workspaces.public_id as workspace_id",
        "workspaces.name as workspace_name",
        "workspaces.plan",
      ])
      .where("keys.hash", "=", v("hash")),
  );
  const ofEnv = (env_id: number) => db.read.selectFrom("keys").selectAll().where("env_id", "=", env_id);
  return {
    /** The look-up of a key by its hash is the one that knows no environment yet. */
    byHash: (hash: string) => byHash.one(null, { hash }),
    insert: async (tx: Tx, row: KeyRow) => {
      await db.in(tx).insertInto("keys").values(row).execute();
    },
    get: (env_id: number, id: string) => ofEnv(env_id).where("id", "=", id).executeTakeFirst(),
    lock: (tx: Tx, env_id: number, id: string) =>
      db
        .in(tx)
        .selectFrom("keys")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .$if(db.engine === "postgres", (query) => query.forUpdate())
        .executeTakeFirst(),
    update: async (tx: Tx, env_id: number, id: string, values: Partial<KeyRow>) => {
      await db.in(tx).updateTable("keys").set(values).where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    page: (env_id: number, after: string | null, offset: number, most: number) =>
      ofEnv(env_id)
        .$if(after !== null, (query) => query.where("id", "<", after!))
        .orderBy("id", "desc")
        .offset(offset)
        .limit(most)
        .execute(),
    count: async (env_id: number) =>
      (
        await db.read
          .selectFrom("keys")
          .select(({ fn }) => fn.countAll<number>().as("total"))
          .where("env_id", "=", env_id)
          .executeTakeFirstOrThrow()
      ).total,
  };
}

export type { KeyRow };
export type KeyStore = ReturnType<typeof createKeyStore>;
