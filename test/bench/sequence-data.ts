import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { loadConfig } from "#src/config.ts";
import { silentLog } from "#src/core/log.ts";
import type { NewSequence } from "#src/modules/sequences/model.ts";
import { openServices } from "#src/server.ts";
import { prepareData, SECRET } from "./data.ts";

export const SANDBOX_ACCOUNT = 7421;
const ROWS_A_STATEMENT = 50_000;

const definition: NewSequence = {
  name: "bench",
  steps: [
    { type: "send", text: "Hey {first_name|there}, your invite is ready", account_id: SANDBOX_ACCOUNT },
    { type: "wait", for: "3d" },
    { type: "exit" },
  ],
};

export interface Prepared {
  key: string;
  env_id: number;
  sequence_id: string;
}

/**
 * Makes a database with a sequence that sends and then waits, and people in it who are all due at the same time. The account is
 * paused: what is sent to them stays queued.
 * @param dueInMs from now on
 */
export async function preparePeople(env: Record<string, string>, people: number, dueInMs: number): Promise<Prepared> {
  const { key, env_id } = await prepareData(env, { paused: true });
  const { db, services, close } = await openServices(loadConfig({ env, flags: {}, isTerminal: false }), SECRET, silentLog);
  try {
    const author = { env_id, key_id: "bench", account_ids: null };
    const { id } = await db.write((tx) => services.sequencing.service.create(tx, author, definition));
    await db.write((tx) => services.sequencing.service.activate(tx, author, id, () => {}));
    await enroll(db, env_id, id, people, Date.now() + dueInMs);
    return { key, env_id, sequence_id: id };
  } finally {
    await close();
  }
}

/** Puts contacts and their enrollments straight into the tables. */
async function enroll(db: Database, env_id: number, sequence_id: string, people: number, due_at: number): Promise<void> {
  const now = sql.lit(Date.now());
  const number = sql`substr(cast(10000000000000000 + n as text), 2)`;
  const contact = sql`'ct_01HKQ9R2X3' || ${number}`;
  for (let first = 0; first < people; first += ROWS_A_STATEMENT) {
    const end = Math.min(people, first + ROWS_A_STATEMENT);
    const numbers = sql`with recursive numbers (n) as (select ${sql.lit(first)} union all select n + 1 from numbers where n + 1 < ${sql.lit(end)})`;
    await db.write(async (tx) => {
      const kysely = db.in(tx);
      await sql`insert into contacts (env_id, id, number, telegram_id, username, name, first_name, sort_name, language, tags, fields, metadata, created_at, updated_at)
        ${numbers} select ${sql.lit(env_id)}, ${contact}, n + 1, 1000000 + n, 'person_' || n, 'Person ' || n, 'Person', 'person ' || n, 'en', '["vip"]', '{}', '{}', ${now}, ${now} from numbers`.execute(
        kysely,
      );
      await sql`insert into enrollments (env_id, id, sequence_id, version, contact_id, status, step, due_at, why, state, actor, entered_at, updated_at)
        ${numbers} select ${sql.lit(env_id)}, 'enr_01HKQ9R2X3' || ${number}, ${sql.lit(sequence_id)}, 1, ${contact}, 'active', 'step_1', ${sql.lit(due_at)}, 'due', '{}', 'bench', ${now}, ${now} from numbers`.execute(
        kysely,
      );
    });
  }
}
