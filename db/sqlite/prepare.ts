import type { SQLQueryBindings } from "bun:sqlite";
import type { Kysely } from "kysely";
import type { Tx } from "#src/core/tx.ts";
import type { Build, Prepared } from "#db/database.ts";
import { compileTemplate } from "#db/marker.ts";
import type { Schema } from "#db/schema.ts";
import type { File, Statement } from "./connection.ts";
import { sqliteTx } from "./transaction.ts";

/** Statements are compiled by the engine on first use: their tables may not be there yet when a store is made. */
export function createPrepare(kysely: Kysely<Schema>, writing: File, reading: File) {
  return <Values extends object, Row>(build: Build<Values>): Prepared<Values, Row> => {
    const { sql, bind } = compileTemplate(kysely, build);
    let inWriter: Statement<Row, SQLQueryBindings[]> | undefined;
    let inReader: Statement<Row, SQLQueryBindings[]> | undefined;
    function on(tx: Tx | null): Statement<Row, SQLQueryBindings[]> {
      if (tx === null) return (inReader ??= reading.prepare<Row, SQLQueryBindings[]>(sql));
      sqliteTx(tx).check();
      return (inWriter ??= writing.prepare<Row, SQLQueryBindings[]>(sql));
    }
    const parameters = (values: Values) => bind(values) as SQLQueryBindings[];
    return {
      all: (tx, values) => on(tx).all(...parameters(values)),
      one: (tx, values) => on(tx).get(...parameters(values)) ?? undefined,
      run: (tx, values) => on(tx).run(...parameters(values)).changes,
    };
  };
}
