import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { countRows } from "#db/paging.ts";
import type { BroadcastRow, BroadcastStateRow, TrackedLinkRow } from "#db/schema-broadcasts.ts";
import type { Tx } from "#src/core/tx.ts";
import { createCountStore } from "./counts-sql.ts";
import { createLinkStore } from "./links-sql.ts";
import { createOutstandingStore } from "./outstanding-sql.ts";
import { createRecipientStore } from "./recipients-sql.ts";

/** What was asked for, and how far it is. */
export type BroadcastWithState = BroadcastRow & Omit<BroadcastStateRow, "env_id" | "broadcast_id">;

/** What a list can be narrowed by. */
export interface Narrowed {
  status?: string;
  parent_id?: string;
}

export function createBroadcastStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  const whole = (kysely: Database["read"], env_id: number) =>
    kysely
      .selectFrom("broadcasts as b")
      .innerJoin("broadcast_states as s", (join) => join.onRef("s.env_id", "=", "b.env_id").onRef("s.broadcast_id", "=", "b.id"))
      .where("b.env_id", "=", env_id)
      .where("s.env_id", "=", env_id);
  const narrow = (env_id: number, { status, parent_id }: Narrowed) =>
    whole(db.read, env_id)
      .$if(status !== undefined, (q) => q.where("s.status", "=", status!))
      .$if(parent_id !== undefined, (q) => q.where("b.parent_id", "=", parent_id!));
  const firstDue = (tx: Tx, now: number, skips: boolean) =>
    db
      .in(tx)
      .selectFrom("broadcast_states")
      .select(["env_id", "broadcast_id"])
      .where("due_at", "<=", now)
      .orderBy("due_at")
      .orderBy("env_id")
      .orderBy("broadcast_id")
      .limit(1)
      .$if(!isSqlite, (q) => (skips ? q.forUpdate().skipLocked() : q.forUpdate()))
      .executeTakeFirst();
  // Each message that is received asks for this.
  const any = db.prepare<{ env_id: number }, { one: number }>((q, v) =>
    q.selectFrom("broadcast_states").select(sql.lit(1).as("one")).where("env_id", "=", v("env_id")).limit(1),
  );
  const shown = { ...createRecipientStore(db), ...createOutstandingStore(db), ...createCountStore(db), ...createLinkStore(db) };

  return {
    ...shown,
    async insert(tx: Tx, row: BroadcastRow, state: BroadcastStateRow): Promise<void> {
      await db.in(tx).insertInto("broadcasts").values(row).execute();
      await db.in(tx).insertInto("broadcast_states").values(state).execute();
    },
    /** @param tx null reads the last committed snapshot */
    get: (tx: Tx | null, env_id: number, id: string): Promise<BroadcastWithState | undefined> =>
      whole(tx === null ? db.read : db.in(tx), env_id)
        .selectAll(["s", "b"])
        .where("b.id", "=", id)
        .executeTakeFirst(),
    /** Nobody else changes its state until the transaction ends. */
    lock: (tx: Tx, env_id: number, id: string): Promise<BroadcastWithState | undefined> =>
      whole(db.in(tx), env_id)
        .selectAll(["s", "b"])
        .where("b.id", "=", id)
        // The draft too, which another may be changing.
        .$if(!isSqlite, (q) => q.forUpdate())
        .executeTakeFirst(),
    /** What is sent, from whom, and when: without whom it is for, which can be long. */
    plan: async (tx: Tx, env_id: number, id: string): Promise<{ plan: string }> =>
      db.in(tx).selectFrom("broadcasts").select("plan").where("env_id", "=", env_id).where("id", "=", id).executeTakeFirstOrThrow(),
    /** Whether there are broadcasts at all. */
    hasAny: async (tx: Tx, env_id: number): Promise<boolean> => (await any.one(tx, { env_id })) !== undefined,
    async update(tx: Tx, { env_id, id }: { env_id: number; id: string }, change: Partial<BroadcastRow>): Promise<void> {
      await db.in(tx).updateTable("broadcasts").set(change).where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    async record(tx: Tx, { env_id, id }: { env_id: number; id: string }, change: Partial<BroadcastStateRow>): Promise<void> {
      await db.in(tx).updateTable("broadcast_states").set(change).where("env_id", "=", env_id).where("broadcast_id", "=", id).execute();
    },
    /** Newest first. */
    page: (env_id: number, by: Narrowed, before: string | null, offset: number, most: number): Promise<BroadcastWithState[]> =>
      narrow(env_id, by)
        .selectAll(["s", "b"])
        .$if(before !== null, (q) => q.where("b.id", "<", before!))
        .orderBy("b.id", "desc")
        .offset(offset)
        .limit(most)
        .execute(),
    count: (env_id: number, by: Narrowed) => countRows(db, narrow(env_id, by) as never, Object.keys(by).length > 0),

    /** When the first of whatever environment has something to do, in real time (ms). */
    async nextAt(): Promise<number | null> {
      const row = await db.read
        .selectFrom("broadcast_states")
        .select("due_at")
        .where("due_at", "is not", null)
        .orderBy("due_at")
        .limit(1)
        .executeTakeFirst();
      return row?.due_at ?? null;
    },
    /**
     * The first of whatever environment that is due, locked: one that nobody else is at, before one that has to be waited for, since
     * every outcome of a message is at its broadcast for a moment.
     */
    async claim(tx: Tx, now: number): Promise<BroadcastWithState | undefined> {
      const found = (await firstDue(tx, now, true)) ?? (isSqlite ? undefined : await firstDue(tx, now, false));
      return found === undefined
        ? undefined
        : whole(db.in(tx), found.env_id).selectAll(["s", "b"]).where("b.id", "=", found.broadcast_id).executeTakeFirst();
    },
    /** Adds to what is counted of a broadcast. @returns its state then, locked */
    async add(
      tx: Tx,
      { env_id, id }: { env_id: number; id: string },
      more: Partial<Record<"total" | "queued" | "sent" | "failed" | "skipped" | "canceled" | "replied" | "clicked", number>>,
      updated_at: number,
    ): Promise<BroadcastStateRow | undefined> {
      const sums = Object.entries(more).filter(([, by]) => by !== 0);
      const set = Object.fromEntries(sums.map(([name, by]) => [name, sql`${sql.ref(name)} + ${sql.lit(by)}`]));
      return db
        .in(tx)
        .updateTable("broadcast_states")
        .set({ ...set, updated_at })
        .where("env_id", "=", env_id)
        .where("broadcast_id", "=", id)
        .returningAll()
        .executeTakeFirst();
    },
  };
}

export type { BroadcastRow, BroadcastStateRow, TrackedLinkRow };
export type BroadcastStore = ReturnType<typeof createBroadcastStore>;
