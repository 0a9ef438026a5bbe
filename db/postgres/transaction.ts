import { Kysely } from "kysely";
import { PostgresJSDialect } from "kysely-postgres-js";
import type { ReservedSql, Sql } from "postgres";
import type { Tx } from "#src/core/tx.ts";
import type { Schema } from "#db/schema.ts";

/** A transaction on a connection of its own. */
export class PostgresTx implements Pick<Tx, "afterCommit"> {
  readonly waiting: (() => void)[] = [];
  open = true;
  #kysely: Kysely<Schema> | undefined;

  constructor(readonly connection: ReservedSql) {}

  afterCommit(then: () => void): void {
    this.waiting.push(then);
  }

  /** Made on first use: hot statements do without. */
  get kysely(): Kysely<Schema> {
    this.#kysely ??= new Kysely<Schema>({ dialect: new PostgresJSDialect({ postgres: onlyThis(this.connection) }) });
    return this.#kysely;
  }
}

/** A pool that always hands out one connection, which somebody else releases. */
function onlyThis(connection: ReservedSql): Sql {
  const reserve = () => Promise.resolve(Object.assign(connection.unsafe.bind(connection), { unsafe: connection.unsafe, release() {} }));
  const end = () => Promise.resolve();
  return Object.assign(() => {}, { options: {}, reserve, end }) as unknown as Sql;
}
