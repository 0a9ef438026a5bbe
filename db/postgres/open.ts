import { Kysely } from "kysely";
import { PostgresJSDialect } from "kysely-postgres-js";
import postgres, { type ParameterOrJSON, type ReservedSql, type Sql } from "postgres";
import { setTimeout as wait } from "node:timers/promises";
import { backoffMs } from "#src/core/backoff.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Build, Database, DatabaseHooks, Prepared } from "#db/database.ts";
import { asUnavailable, codeOf } from "#db/errors.ts";
import { compileTemplate } from "#db/marker.ts";
import type { Schema } from "#db/schema.ts";
import { PostgresTx } from "./transaction.ts";

type Values = ParameterOrJSON<never>[];

const CONNECTIONS_MAX = 10;
const ATTEMPTS_MAX = 8;
/** serialization_failure, deadlock_detected: https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html */
const repeatable = new Set(["40001", "40P01"]);

/** Opens a pool on a PostgreSQL server. Does not migrate. */
export function openPostgres(url: string, hooks: DatabaseHooks = {}): Database {
  const pool = connect(url);
  const read = new Kysely<Schema>({ dialect: new PostgresJSDialect({ postgres: pool }) });

  async function once<T>(work: (tx: Tx) => Maybe<T>): Promise<T> {
    const connection = await pool.reserve();
    const tx = new PostgresTx(connection);
    const startedAt = performance.now();
    try {
      const value = await inTransaction(connection, () => work(tx as unknown as Tx));
      hooks.onCommit?.(1, (performance.now() - startedAt) / 1000);
      for (const then of tx.waiting) then();
      return value;
    } finally {
      tx.open = false;
      connection.release();
    }
  }

  function open(tx: Tx): PostgresTx {
    const own = tx as unknown as PostgresTx;
    if (!own.open) throw new Error("the transaction has ended");
    return own;
  }

  return {
    engine: "postgres",
    read,
    async write(work) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await once(work);
        } catch (error) {
          if (attempt === ATTEMPTS_MAX || !repeatable.has(codeOf(error))) throw asUnavailable(error);
          await wait(backoffMs(attempt, 5, 200));
        }
      }
    },
    in: (tx) => open(tx).kysely,
    prepare<Named extends object, Row>(build: Build<Named>): Prepared<Named, Row> {
      const { sql, bind } = compileTemplate(read, build);
      const execute = (tx: Tx | null, values: Named) =>
        (tx === null ? pool : open(tx).connection).unsafe<Row[] & object[]>(sql, bind(values) as Values, { prepare: true });
      return {
        all: async (tx, values) => [...(await execute(tx, values))],
        one: async (tx, values) => (await execute(tx, values))[0],
        run: async (tx, values) => (await execute(tx, values)).count,
      };
    },
    slowly: async <Row>(query: { compile(): { sql: string; parameters: readonly unknown[] } }) => {
      const { sql, parameters } = query.compile();
      return [...(await pool.unsafe<Row[] & object[]>(sql, [...parameters] as Values))];
    },
    changedElsewhere: () => false,
    close: () => pool.end({ timeout: 5 }),
  };
}

/** BEGIN travels with the first statement; a failure rolls back, and a lost connection has done so by itself. */
async function inTransaction<T>(connection: ReservedSql, work: () => Maybe<T>): Promise<T> {
  const begun = connection.unsafe("begin").execute();
  try {
    const value = await work();
    await begun;
    await connection.unsafe("commit");
    return value;
  } catch (error) {
    await connection.unsafe("rollback").catch(() => {});
    throw error;
  }
}

function connect(url: string): Sql {
  return postgres(url, {
    max: CONNECTIONS_MAX,
    onnotice: () => {},
    connect_timeout: 10,
    types: {
      // int8: every number of ours is below 2^53.
      bigint: { to: 20, from: [20], serialize: String, parse: Number },
    },
  });
}
