import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { loadConfig } from "#src/config.ts";
import { silentLog } from "#src/core/log.ts";
import { openServices } from "#src/server.ts";

/** Every bench's server opens its data with this. */
export const SECRET = "a secret of the bench, and of nothing else";
/** The limit of a bench's key is far above what it can reach: 10⁹ a minute. */
const RATE_LIMIT = 1_000_000_000;
const SANDBOX_ACCOUNT = 7421;
const FIRST_ACCOUNT = 20_000;
const ROWS_A_STATEMENT = 50_000;

const SCOPES = ["write:messages", "manage:accounts", "read:contacts", "write:contacts", "manage:webhooks"] as const;

export interface Contents {
  /** Pauses the sandbox account: what is sent to it stays queued. */
  paused?: boolean;
  queue?: Queue;
}

interface Queue {
  messages: number;
  /** Sandbox accounts that share them. */
  accounts: number;
}

/**
 * Makes a database with a workspace, a test key and, where asked for, a queue; and closes it again.
 * @returns the key
 */
export async function prepareData(
  env: Record<string, string>,
  { paused = false, queue }: Contents = {},
): Promise<{ key: string; env_id: number }> {
  const config = loadConfig({ env, flags: {}, isTerminal: false });
  const { db, services, close } = await openServices(config, SECRET, silentLog);
  try {
    const { environments } = await db.write((tx) => services.workspaces.create(tx, "bench", null));
    const { id: env_id, name } = environments.find(({ mode }) => mode === "test")!;
    const maker = { env_id, mode: "test" as const, environment: name, plan: null, scopes: null };
    const ask = { name: "bench", scopes: [...SCOPES], rate_limit: RATE_LIMIT };
    const { key } = await db.write((tx) => services.keys.create(tx, maker, ask));
    if (paused) await db.write((tx) => services.accounts.patch(tx, env_id, SANDBOX_ACCOUNT, { paused }, null, "bench"));
    if (queue !== undefined) await fill(db, env_id, queue);
    return { key, env_id };
  } finally {
    await close();
  }
}

/** Puts messages and their jobs straight into the tables, due now, each account's in turn. */
async function fill(db: Database, env_id: number, { messages, accounts }: Queue): Promise<void> {
  const now = Date.now();
  await db.write(async (tx) => {
    const kysely = db.in(tx);
    const sandbox = kysely.selectFrom("accounts").selectAll().where("env_id", "=", env_id).where("id", "=", SANDBOX_ACCOUNT);
    const like = await sandbox.executeTakeFirstOrThrow();
    for (let number = 0; number < accounts; number++) {
      const id = FIRST_ACCOUNT + number;
      await kysely
        .insertInto("accounts")
        .values({ ...like, id, name: `Sandbox ${number}` })
        .execute();
      const lane = {
        env_id,
        lane: `account:${id}`,
        paused: 0,
        held_until: null,
        hold_reason: null,
        owner: null,
        lease_until: null,
        fence: 0,
      };
      await kysely.insertInto("lanes").values(lane).execute();
    }
  });
  for (let first = 0; first < messages; first += ROWS_A_STATEMENT) {
    const numbers = sql`with recursive numbers (n) as (select ${sql.lit(first)} union all select n + 1 from numbers where n + 1 < ${sql.lit(Math.min(messages, first + ROWS_A_STATEMENT))})`;
    const [id, account] = [sql`'msg_01HKQ9R2X3' || printf('%016d', n)`, sql`(${sql.lit(FIRST_ACCOUNT)} + n % ${sql.lit(accounts)})`];
    const at = sql.lit(now);
    await db.write(async (tx) => {
      const kysely = db.in(tx);
      await sql`insert into messages (env_id, id, channel, account_id, direction, recipient, text, status, eta, silent, metadata, attempts, created_at, updated_at)
        ${numbers} select ${sql.lit(env_id)}, ${id}, 'sandbox', ${account}, 'out', '@reader_' || n, 'Hey {first_name}, your invite is ready', 'queued', ${at}, 0, '{}', '[]', ${at}, ${at} from numbers`.execute(
        kysely,
      );
      await sql`insert into jobs (env_id, id, kind, lane, chat, run_at, running, attempts, payload, eta)
        ${numbers} select ${sql.lit(env_id)}, ${id}, 'messages.send', 'account:' || ${account}, '@reader_' || n, ${at}, 0, 0, 'sandbox', ${at} from numbers`.execute(
        kysely,
      );
    });
  }
}
