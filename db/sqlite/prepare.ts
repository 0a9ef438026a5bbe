import type { SQLQueryBindings } from "bun:sqlite";
import type { Kysely } from "kysely";
import type { Tx } from "#src/core/tx.ts";
import type { Build, Prepared } from "#db/database.ts";
import { compileTemplate } from "#db/marker.ts";
import type { Schema } from "#db/schema.ts";
import { type File, type Statement, prepareOn } from "./connection.ts";
import { sqliteTx } from "./transaction.ts";

/** Statements are compiled by the engine on first use: their tables may not be there yet when a store is made. */
export function createPrepare(kysely: Kysely<Schema>, writing: File, reading: File) {
  return <Values extends object, Row>(build: Build<Values>): Prepared<Values, Row> => {
    type Ready = Statement<Row, SQLQueryBindings[]>;
    const template = compileTemplate(kysely, build);
    const sql = withFixedPlan(template.sql);
    const { bind } = template;
    let inWriter: Ready | undefined;
    let inReader: Ready | undefined;

    function execute<T>(tx: Tx | null, values: Values, how: (statement: Ready, bindings: SQLQueryBindings[]) => T): T {
      const bindings = bind(values);
      if (tx === null) return how((inReader ??= prepareOn<Row>(reading, sql)), bindings);
      const own = sqliteTx(tx);
      own.check();
      try {
        return how((inWriter ??= prepareOn<Row>(writing, sql)), bindings);
      } catch (error) {
        own.failed(error);
        throw error;
      }
    }

    return {
      all: (tx, values) => execute(tx, values, all),
      one: (tx, values) => execute(tx, values, one),
      run: (tx, values) => execute(tx, values, run),
      later: (tx, values) => void execute(tx, values, run),
    };
  };
}

/**
 * With its statistics compiled in, SQLite plans a statement anew whenever a value is bound that a comparison could have been
 * planned for, which costs more than most statements. The sign hides the value from the planner and changes nothing else.
 * https://www.sqlite.org/optoverview.html#uplus
 */
function withFixedPlan(sql: string): string {
  return sql.replace(/(=|<>|<=?|>=?) \?/g, "$1 +?");
}

const all = <Row>(statement: Statement<Row, SQLQueryBindings[]>, bindings: SQLQueryBindings[]) => statement.all(...bindings);
const one = <Row>(statement: Statement<Row, SQLQueryBindings[]>, bindings: SQLQueryBindings[]) => statement.get(...bindings) ?? undefined;
const run = (statement: Statement<unknown, SQLQueryBindings[]>, bindings: SQLQueryBindings[]) => statement.run(...bindings).changes;
