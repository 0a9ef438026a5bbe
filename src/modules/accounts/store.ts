import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { AccountRow } from "#db/schema.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { dayOf } from "./day.ts";
import type { Standing } from "./present.ts";

/** What is taken of a day's caps. */
interface Taken {
  taken: number;
  new_peers: number;
}

export function createAccountStore(db: Database) {
  const find = db.prepare<{ env_id: number; id: number }, AccountRow>((q, v) =>
    q.selectFrom("accounts").selectAll().where("env_id", "=", v("env_id")).where("id", "=", v("id")),
  );
  const take = db.prepare<{ env_id: number; account_id: number; day: string; new_peers: number }, Taken>((q, v) =>
    q
      .insertInto("account_days")
      .values({ env_id: v("env_id"), account_id: v("account_id"), day: v("day"), taken: 1, new_peers: v("new_peers") })
      .onConflict((conflict) =>
        conflict.columns(["env_id", "account_id", "day"]).doUpdateSet((set) => ({
          taken: set("account_days.taken", "+", 1),
          new_peers: set("account_days.new_peers", "+", set.ref("excluded.new_peers")),
        })),
      )
      .returning(["taken", "new_peers"]),
  );
  const here = (env_id: number) => db.read.selectFrom("accounts").selectAll().where("env_id", "=", env_id).where("deleted_at", "is", null);

  /** @param now the environment's time @param due real time, by which its queue goes */
  async function standings(tx: Tx | null, rows: readonly AccountRow[], now: number, due = now): Promise<Map<number, Standing>> {
    const [first] = rows;
    if (first === undefined) return new Map();
    const { env_id } = first;
    const from = tx === null ? db.read : db.in(tx);
    const ids = rows.map((row) => row.id);
    const found = await from
      .selectFrom("accounts")
      .leftJoin("connections", (join) =>
        join.onRef("connections.env_id", "=", "accounts.env_id").onRef("connections.account_id", "=", "accounts.id"),
      )
      .leftJoin("lanes", (join) =>
        join.onRef("lanes.env_id", "=", "accounts.env_id").on("lanes.lane", "=", sql<string>`'account:' || cast(accounts.id as text)`),
      )
      .select(["accounts.id", "proof_at", "error", "error_at", "held_until", "hold_reason"])
      .select((q) =>
        q
          .exists(
            q
              .selectFrom("jobs")
              .select(sql.lit(1).as("one"))
              .where("jobs.env_id", "=", env_id)
              .whereRef("jobs.lane", "=", "lanes.lane")
              .where("jobs.run_at", "<=", due),
          )
          .as("waits"),
      )
      .where("accounts.env_id", "=", env_id)
      .where("accounts.id", "in", ids)
      .execute();
    const days = new Map(rows.map((row) => [row.id, dayOf(now, row.timezone)]));
    const used = await from
      .selectFrom("account_days")
      .select(["account_id", "day", "taken", "new_peers"])
      .where("env_id", "=", env_id)
      .where("account_id", "in", ids)
      .where("day", "in", [...new Set(days.values())])
      .execute();
    return new Map(
      found.map(({ id, waits, ...rest }) => {
        const today = used.find((row) => row.account_id === id && row.day === days.get(id));
        return [id, { ...rest, waits: Boolean(waits), taken: today?.taken ?? 0, new_peers: today?.new_peers ?? 0 }];
      }),
    );
  }

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
    byTelegramId: (tx: Tx, env_id: number, kind: string, telegram_id: number) =>
      db
        .in(tx)
        .selectFrom("accounts")
        .select("id")
        .where("env_id", "=", env_id)
        .where("kind", "=", kind)
        .where("telegram_id", "=", telegram_id)
        .where("deleted_at", "is", null)
        .executeTakeFirst(),
    /** How accounts of one environment stand, by their ids. */
    standings,
    /** The account has just had its round trip; whatever was kept of its connection before is another's. */
    async begin(tx: Tx, env_id: number, account_id: number, session: string | null, proof_at: number): Promise<void> {
      const fresh = { session, place: null, proof_at, error: null, error_at: null };
      await db
        .in(tx)
        .insertInto("connections")
        .values({ env_id, account_id, ...fresh })
        .onConflict((conflict) => conflict.columns(["env_id", "account_id"]).doUpdateSet(fresh))
        .execute();
    },
    /** As `begin`, of an account that goes on from its place. */
    async prove(tx: Tx, env_id: number, account_id: number, proof_at: number): Promise<void> {
      await db
        .in(tx)
        .insertInto("connections")
        .values({ env_id, account_id, session: null, place: null, proof_at, error: null, error_at: null })
        .onConflict((conflict) => conflict.columns(["env_id", "account_id"]).doUpdateSet({ proof_at, error: null, error_at: null }))
        .execute();
    },
    /** Forgets the session, and whom it has met. */
    async end(tx: Tx, env_id: number, account_id: number): Promise<void> {
      for (const table of ["connections", "peers", "updates"] as const)
        await db.in(tx).deleteFrom(table).where("env_id", "=", env_id).where("account_id", "=", account_id).execute();
    },
    /** Some tokens and sessions of whatever environment: the system door by which a start tries its secret. */
    someSealed: (most: number) =>
      db.read
        .selectFrom("accounts")
        .leftJoin("connections", (join) =>
          join.onRef("connections.env_id", "=", "accounts.env_id").onRef("connections.account_id", "=", "accounts.id"),
        )
        .select(["accounts.env_id", "id", "token", "session"])
        .where((where) => where.or([where("token", "is not", null), where("session", "is not", null)]))
        .limit(most)
        .execute(),
    /** Those of these that are here, or the first of all. */
    some: (tx: Tx, env_id: number, ids: readonly number[] | null, most: number) =>
      db
        .in(tx)
        .selectFrom("accounts")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("deleted_at", "is", null)
        .$if(ids !== null, (query) => query.where("id", "in", [...ids!]))
        .orderBy("id")
        .limit(most)
        .execute(),
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
    takeDay: async (tx: Tx, env_id: number, account_id: number, day: string, isNew: boolean): Promise<Taken> =>
      (await take.one(tx, { env_id, account_id, day, new_peers: isNew ? 1 : 0 }))!,
    giveBackDay: async (tx: Tx, env_id: number, account_id: number, day: string, isNew: boolean) => {
      await db
        .in(tx)
        .updateTable("account_days")
        .set((set) => ({ taken: set("taken", "-", 1), ...(isNew ? { new_peers: set("new_peers", "-", 1) } : {}) }))
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
