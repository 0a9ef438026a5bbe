import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Loads } from "./sharing.ts";

interface Key {
  env_id: number;
  broadcast_id: string;
}

/** Messages of a broadcast that have not ended, by their accounts: at most some hundreds of each. */
export function createOutstandingStore(db: Database) {
  const queued = (tx: Tx, { env_id, broadcast_id }: Key) =>
    db
      .in(tx)
      .selectFrom("broadcast_recipients as r")
      .select(({ fn }) => fn.countAll<number | string>().as("count"))
      .where("r.env_id", "=", env_id)
      .where("r.broadcast_id", "=", broadcast_id)
      .where("r.status", "=", "queued");

  /** Those to people whom their account has not written with. */
  async function fresh(tx: Tx, key: Key, minding: readonly number[]): Promise<ReadonlyMap<number | null, number>> {
    if (minding.length === 0) return new Map();
    const { env_id } = key;
    const rows = await queued(tx, key)
      .innerJoin("messages as m", (join) => join.onRef("m.env_id", "=", "r.env_id").onRef("m.id", "=", "r.message_id"))
      .select("r.account_id")
      .where("m.env_id", "=", env_id)
      .where("r.account_id", "in", [...minding])
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom("chats as c")
              .select("c.chat_id")
              .where("c.env_id", "=", env_id)
              .whereRef("c.account_id", "=", "r.account_id")
              .where(({ or, eb }) =>
                or([eb("c.chat_id", "=", eb.ref("m.recipient")), eb("c.username", "=", sql<string>`substr(m.recipient, 2)`)]),
              ),
          ),
        ),
      )
      .groupBy("r.account_id")
      .execute();
    return new Map(rows.map(({ account_id, count }) => [account_id, Number(count)]));
  }

  return {
    /** @param minding accounts of which it matters whom they have written with */
    async outstanding(tx: Tx, key: Key, minding: readonly number[]): Promise<Loads> {
      const rows = await queued(tx, key).select("r.account_id").groupBy("r.account_id").execute();
      const toNew = await fresh(tx, key, minding);
      const loads: Loads = new Map();
      for (const { account_id, count } of rows)
        if (account_id !== null) loads.set(account_id, { all: Number(count), fresh: toNew.get(account_id) ?? 0 });
      return loads;
    },
  };
}
