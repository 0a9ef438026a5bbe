import type { SQL } from "bun";
import { Kysely, PostgresDialect } from "kysely";
import type { Schema } from "#db/schema.ts";

export type Result = Record<string, unknown>[] & Pick<SQL.ResultMetadata, "affectedRows" | "command" | "columns">;
export type Ask = (sql: string, parameters: readonly unknown[]) => Promise<Result>;

/** What is used of Bun's client. */
export interface Pool {
  unsafe(sql: string, parameters?: unknown[]): Promise<Result>;
  reserve(): Promise<Connection>;
  close(options?: { timeout?: number }): Promise<void>;
}

export interface Connection {
  unsafe(sql: string, parameters?: unknown[]): Promise<Result>;
  release(): Promise<void>;
}

/** Kysely's own PostgreSQL dialect over Bun's client: it asks for pg's shape. */
export function kyselyOver(ask: Ask): Kysely<Schema> {
  const query = async (sql: string, parameters: readonly unknown[]) => {
    const result = await ask(sql, parameters);
    return { command: result.command, rowCount: result.affectedRows, rows: toRows(result) };
  };
  const client = { query, release: () => {} };
  const pool = { options: {}, connect: () => Promise.resolve(client), end: () => Promise.resolve() };
  // Kysely's types ask for cursors too, which only its streams use.
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: pool as never }) });
}

/** int8 and numeric, which Bun gives as texts: https://www.postgresql.org/docs/current/catalog-pg-type.html */
const numberTypes = new Set([20, 1700]);
const numberColumns = new WeakMap<SQL.ResultColumn[], string[]>();

/** The rows with numbers for numbers: every one of ours is below 2^53. */
export function toRows<Row>(result: Result): Row[] {
  if (result.length > 0 && result.columns !== null) {
    const names = numbersAmong(result.columns);
    for (const row of result) for (const name of names) if (row[name] !== null) row[name] = Number(row[name]);
  }
  return [...result] as Row[];
}

/** The runs of one prepared statement share one list of columns. */
function numbersAmong(columns: SQL.ResultColumn[]): string[] {
  let names = numberColumns.get(columns);
  if (names === undefined) {
    names = columns.filter((column) => numberTypes.has(column.type)).map((column) => column.name);
    numberColumns.set(columns, names);
  }
  return names;
}
