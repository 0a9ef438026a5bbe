import type { PoolAccount, Sender } from "#src/modules/sequences/sending.ts";
import type { createAccounts } from "./accounts.ts";
import type { createMessaging } from "./messaging.ts";

interface Needs {
  accounts: Pick<ReturnType<typeof createAccounts>["service"], "row">;
  reach: ReturnType<typeof createMessaging>["reach"];
}

/** The accounts of a pool, and whom each can write to, as far as is known here. */
export function createPool({ accounts, reach }: Needs): Pick<Sender, "accounts" | "reaches"> {
  return {
    async accounts(tx, env_id, ids) {
      const pool: PoolAccount[] = [];
      for (const id of ids) {
        const row = await accounts.row(tx, env_id, id);
        if (row === undefined || row.deleted_at !== null) continue;
        pool.push({ id, kind: row.kind, isOut: row.status !== "connected", isPaused: row.paused === 1 });
      }
      return pool;
    },
    async reaches(tx, env_id, account_id, contact_id) {
      const [found] = await reach(tx, env_id, [account_id], [contact_id]);
      return found?.kind === "ways" && found.ways[0]!.foreseen === null;
    },
  };
}
