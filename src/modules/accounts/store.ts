import type { Database } from "#db/database.ts";
import type { AccountRow } from "#db/schema.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

export function createAccountStore(db: Database) {
  const find = db.prepare<{ env_id: number; id: number }, AccountRow>((q, v) =>
    q.selectFrom("accounts").selectAll().where("env_id", "=", v("env_id")).where("id", "=", v("id")),
  );
  const take = db.prepare<{ env_id: number; account_id: number; day: string }, { taken: number }>((q, v) =>
    q
      .insertInto("account_days")
      .values({ env_id: v("env_id"), account_id: v("account_id"), day: v("day"), taken: 1, new_peers: 0 })
      .onConflict((conflict) =>
        conflict.columns(["env_id", "account_id", "day"]).doUpdateSet((set) => ({ taken: set("account_days.taken", "+", 1) })),
      )
      .returning("taken"),
  );
  const here = (env_id: number) => db.read.selectFrom("accounts").selectAll().where("env_id", "=", env_id).where("deleted_at", "is", null);

  return {
    /** Also an account that was removed: its messages still need it. @param tx null reads the last committed snapshot */
    find: (tx: Tx | null, env_id: number, id: number): Maybe<AccountRow | undefined> => find.one(tx, { env_id, id }),
    lock: (tx: Tx, env_id: number, id: number) =>
      db
        .in(tx)
        .selectFrom("accounts")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .where("deleted_at", "is", null)
        .$if(db.engine === "postgres", (query) => query.forUpdate())
        .executeTakeFirst(),
    insert: async (tx: Tx, row: AccountRow) => {
      await db.in(tx).insertInto("accounts").values(row).execute();
    },
    update: async (tx: Tx, env_id: number, id: number, values: Partial<AccountRow>) => {
      await db.in(tx).updateTable("accounts").set(values).where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    byTelegramId: (tx: Tx, env_id: number, telegram_id: number) =>
      db
        .in(tx)
        .selectFrom("accounts")
        .select("id")
        .where("env_id", "=", env_id)
        .where("kind", "=", "telegram_bot")
        .where("telegram_id", "=", telegram_id)
        .where("deleted_at", "is", null)
        .executeTakeFirst(),
    /** Some tokens of whatever environment: the system door by which a start tries its secret. */
    someSealed: (most: number) =>
      db.read.selectFrom("accounts").select(["env_id", "id", "token"]).where("token", "is not", null).limit(most).execute(),
    page: (env_id: number, after: number | null, offset: number, most: number) =>
      here(env_id)
        .$if(after !== null, (query) => query.where("id", ">", after!))
        .orderBy("id")
        .offset(offset)
        .limit(most)
        .execute(),
    count: async (env_id: number) =>
      (
        await db.read
          .selectFrom("accounts")
          .select(({ fn }) => fn.countAll<number>().as("total"))
          .where("env_id", "=", env_id)
          .where("deleted_at", "is", null)
          .executeTakeFirstOrThrow()
      ).total,
    /** Counts one send on a day. @returns how many it is now */
    takeDay: async (tx: Tx, env_id: number, account_id: number, day: string) => (await take.one(tx, { env_id, account_id, day }))!.taken,
    giveBackDay: async (tx: Tx, env_id: number, account_id: number, day: string) => {
      await db
        .in(tx)
        .updateTable("account_days")
        .set((set) => ({ taken: set("taken", "-", 1) }))
        .where("env_id", "=", env_id)
        .where("account_id", "=", account_id)
        .where("day", "=", day)
        .where("taken", ">", 0)
        .execute();
    },
  };
}

export type { AccountRow };
export type AccountStore = ReturnType<typeof createAccountStore>;
