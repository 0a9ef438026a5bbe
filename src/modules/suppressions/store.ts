import type { Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import { countRows, newestFirst } from "#db/paging.ts";
import type { SuppressionRow } from "#db/schema-people.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { SuppressionReason } from "./model.ts";

/** A list's filter, in the store's terms. */
export interface Narrowed {
  recipients?: string[];
  channel?: string;
  reason?: SuppressionReason;
}

export function createSuppressionStore(db: Database) {
  const one = db.prepare<{ env_id: number }, { channel: string }>((q, v) =>
    q.selectFrom("suppressions").select("channel").where("env_id", "=", v("env_id")).limit(1),
  );
  const among = db.prepare<{ env_id: number; recipients: string }, Pick<SuppressionRow, "channel" | "recipient">>((q, v) =>
    q
      .selectFrom("suppressions")
      .select(["channel", "recipient"])
      .where("env_id", "=", v("env_id"))
      .where("recipient", "in", listOf(db.engine, v("recipients"))),
  );
  const narrow = (env_id: number, by: Narrowed) =>
    db.read
      .selectFrom("suppressions")
      .where("env_id", "=", env_id)
      .$if(by.recipients !== undefined, (q) => q.where("recipient", "in", by.recipients!))
      .$if(by.channel !== undefined, (q) => q.where("channel", "=", by.channel!))
      .$if(by.reason !== undefined, (q) => q.where("reason", "=", by.reason!));

  return {
    /**
     * Keeps those that are not there yet; no two of them may be of one person and channel.
     * @returns for each the row that is there now: itself, or the one from before
     */
    put: (tx: Tx, rows: SuppressionRow[]): Promise<SuppressionRow[]> =>
      db
        .in(tx)
        .insertInto("suppressions")
        .values(rows)
        // An update that changes nothing gives the row that is there: read after a `do nothing` it could be gone again.
        .onConflict((conflict) =>
          conflict.columns(["env_id", "recipient", "channel"]).doUpdateSet((set) => ({ recipient: set.ref("excluded.recipient") })),
        )
        .returningAll()
        .execute(),
    get: (env_id: number, id: string) =>
      db.read.selectFrom("suppressions").selectAll().where("env_id", "=", env_id).where("id", "=", id).executeTakeFirst(),
    lock: (tx: Tx, env_id: number, id: string) =>
      db
        .in(tx)
        .selectFrom("suppressions")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .$if(db.engine === "postgres", (query) => query.forUpdate())
        .executeTakeFirst(),
    /** Of a recipient, under this very channel. */
    lockAt: (tx: Tx, env_id: number, recipient: string, channel: string) =>
      db
        .in(tx)
        .selectFrom("suppressions")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("recipient", "=", recipient)
        .where("channel", "=", channel)
        .$if(db.engine === "postgres", (query) => query.forUpdate())
        .executeTakeFirst(),
    remove: async (tx: Tx, env_id: number, id: string) => {
      await db.in(tx).deleteFrom("suppressions").where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    /** Any one of an environment's; undefined where there is none. */
    one: (tx: Tx, env_id: number): Maybe<{ channel: string } | undefined> => one.one(tx, { env_id }),
    /** Those of these recipients, under whatever channel. */
    among: (tx: Tx, env_id: number, recipients: readonly string[]): Maybe<Pick<SuppressionRow, "channel" | "recipient">[]> =>
      among.all(tx, { env_id, recipients: JSON.stringify(recipients) }),
    page: (env_id: number, by: Narrowed, before: string | null, offset: number, most: number) =>
      newestFirst(narrow(env_id, by), { before, offset, most }),
    /** Exact for all of an environment's suppressions; under a filter up to TOTAL_MAX. */
    count: (env_id: number, by: Narrowed) => countRows(db, narrow(env_id, by), Object.keys(by).length > 0),
  };
}

export type { SuppressionRow };
export type SuppressionStore = ReturnType<typeof createSuppressionStore>;
