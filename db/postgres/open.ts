import { SQL } from "bun";
import type { Compilable } from "kysely";
import { writeCsv } from "#src/core/csv.ts";
import type { Log } from "#src/core/log.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Build, Database, DatabaseHooks, Prepared } from "#db/database.ts";
import { asUnavailable } from "#db/errors.ts";
import { compileTemplate } from "#db/marker.ts";
import { type Ask, type Pool, kyselyOver, toRows } from "./client.ts";
import { postgresTx } from "./transaction.ts";
import { createWriter } from "./writer.ts";

const CONNECTIONS_MAX = 10;
const CONNECT_SECONDS_MAX = 10;

/** Opens a pool on a PostgreSQL server. Does not connect yet, and does not migrate. */
export function openPostgres(url: string, log: Log, hooks: DatabaseHooks = {}): Database {
  const pool = new SQL(url, {
    max: CONNECTIONS_MAX,
    connectionTimeout: CONNECT_SECONDS_MAX,
    connection: { application_name: "posthouse" },
  });
  return overPool(pool, log, hooks);
}

export function overPool(pool: Pool, log: Log, hooks: DatabaseHooks = {}): Database {
  const onPool: Ask = async (sql, parameters) => {
    try {
      return await pool.unsafe(sql, [...parameters]);
    } catch (error) {
      throw asUnavailable(error);
    }
  };
  const read = kyselyOver(onPool);
  const writer = createWriter(pool, log, hooks);
  let closing: Promise<void> | undefined;

  return {
    engine: "postgres",
    read,
    write: writer.write,
    in: (tx) => postgresTx(tx).kysely,
    prepare<Values extends object, Row>(build: Build<Values>): Prepared<Values, Row> {
      const { sql, bind } = compileTemplate(read, build);
      const ask = (tx: Tx | null, values: Values) => (tx === null ? onPool : postgresTx(tx).ask)(sql, bind(values));
      return {
        all: async (tx, values) => toRows<Row>(await ask(tx, values)),
        one: async (tx, values) => toRows<Row>(await ask(tx, values))[0],
        run: async (tx, values) => (await ask(tx, values)).affectedRows,
        later: (tx, values) => void ask(tx, values),
      };
    },
    async slowly<Row>(query: Compilable<Row>) {
      const { sql, parameters } = query.compile();
      return toRows<Row>(await onPool(sql, parameters));
    },
    async slowlyCsv(query, columns) {
      const { sql, parameters } = query.compile();
      const rows = toRows<Record<string, unknown>>(await onPool(sql, parameters));
      return writeCsv(
        rows.map((row) => columns.map(({ name }) => row[name])),
        columns,
      );
    },
    calm: () => Promise.resolve(),
    changedElsewhere: () => false,
    close: () => (closing ??= writer.close().then(() => pool.close({ timeout: 5 }))),
  };
}
