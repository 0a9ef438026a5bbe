import type { Database } from "#db/database.ts";
import { isUniqueViolation } from "#db/errors.ts";
import type { EnvironmentRow, WorkspaceRow } from "#db/schema.ts";
import type { Tx } from "#src/core/tx.ts";

/** Workspaces and their environments: what tenants are made of. */
export function createWorkspaceStore(db: Database) {
  /** Numbers are handed out by a row that concurrent writers queue for. */
  async function nextNumber(tx: Tx, name: string, first: number): Promise<number> {
    const row = await db
      .in(tx)
      .insertInto("counters")
      .values({ name, value: first })
      .onConflict((conflict) => conflict.column("name").doUpdateSet((set) => ({ value: set("counters.value", "+", 1) })))
      .returning("value")
      .executeTakeFirstOrThrow();
    return row.value;
  }

  return {
    nextNumber,
    isDuplicate: isUniqueViolation,
    insertWorkspace: async (tx: Tx, row: WorkspaceRow) => {
      await db.in(tx).insertInto("workspaces").values(row).execute();
    },
    insertEnvironment: async (tx: Tx, row: EnvironmentRow) => {
      await db.in(tx).insertInto("environments").values(row).execute();
    },
    updateWorkspace: async (tx: Tx, id: number, values: Partial<WorkspaceRow>) => {
      await db.in(tx).updateTable("workspaces").set(values).where("id", "=", id).execute();
    },
    updateEnvironment: async (tx: Tx, id: number, values: Partial<EnvironmentRow>) => {
      await db.in(tx).updateTable("environments").set(values).where("id", "=", id).execute();
    },
    /** @param tx null reads the last committed snapshot */
    environment: (tx: Tx | null, id: number) =>
      (tx === null ? db.read : db.in(tx))
        .selectFrom("environments")
        .selectAll()
        .where("id", "=", id)
        .$if(tx !== null && db.engine === "postgres", (query) => query.forUpdate())
        .executeTakeFirstOrThrow(),
    hearsReplies: async (tx: Tx, id: number) =>
      (await db.in(tx).selectFrom("environments").select("opt_out_replies").where("id", "=", id).executeTakeFirstOrThrow())
        .opt_out_replies === 1,
    lockWorkspace: (tx: Tx, id: number) =>
      db
        .in(tx)
        .selectFrom("workspaces")
        .selectAll()
        .where("id", "=", id)
        .$if(db.engine === "postgres", (query) => query.forUpdate())
        .executeTakeFirstOrThrow(),
    workspace: (id: number) => db.read.selectFrom("workspaces").selectAll().where("id", "=", id).executeTakeFirstOrThrow(),
    workspaceNamed: (tx: Tx | null, name: string) =>
      (tx === null ? db.read : db.in(tx)).selectFrom("workspaces").selectAll().where("name", "=", name).executeTakeFirst(),
    workspaces: () => db.read.selectFrom("workspaces").selectAll().orderBy("id").execute(),
    environments: (workspace_id: number) =>
      db.read.selectFrom("environments").selectAll().where("workspace_id", "=", workspace_id).orderBy("id").execute(),
    environmentPage: (workspace_id: number, after: number | null, offset: number, most: number) =>
      db.read
        .selectFrom("environments")
        .selectAll()
        .where("workspace_id", "=", workspace_id)
        .$if(after !== null, (query) => query.where("id", ">", after!))
        .orderBy("id")
        .offset(offset)
        .limit(most)
        .execute(),
    countEnvironments: async (workspace_id: number) =>
      (
        await db.read
          .selectFrom("environments")
          .select(({ fn }) => fn.countAll<number>().as("total"))
          .where("workspace_id", "=", workspace_id)
          .executeTakeFirstOrThrow()
      ).total,
    environmentsIn: (tx: Tx, workspace_id: number) =>
      db.in(tx).selectFrom("environments").selectAll().where("workspace_id", "=", workspace_id).orderBy("id").execute(),
    onUnknown: async (tx: Tx, env_id: number) =>
      (
        await db
          .in(tx)
          .selectFrom("environments")
          .innerJoin("workspaces", "workspaces.id", "environments.workspace_id")
          .select("workspaces.on_unknown")
          .where("environments.id", "=", env_id)
          .executeTakeFirstOrThrow()
      ).on_unknown,
  };
}

export type { EnvironmentRow, WorkspaceRow };
export type WorkspaceStore = ReturnType<typeof createWorkspaceStore>;
