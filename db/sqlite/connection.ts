import { Database as File, type SQLQueryBindings, type Statement } from "bun:sqlite";
import { Kysely, SqliteDialect } from "kysely";
import type { Schema } from "#db/schema.ts";

/** What can only be had while the file is opened, such as the switch to WAL, waits this long for other programs. */
const OPENING_BUSY_MS_MAX = 5_000;
/** A log that grew past this while a reader held it back is cut to it when it begins anew. */
const LOG_BYTES_KEPT = 64 * 1024 * 1024;

/** Stands around each statement of a transaction. */
export interface Guard {
  /** @throws when the statement must not run */
  check(): void;
  failed(error: unknown): void;
}

/** Kysely's own SQLite dialect over bun:sqlite: it asks for better-sqlite3's shape. */
export function kyselyOver(file: File, guard?: Guard): Kysely<Schema> {
  const guarded = <T>(run: () => T): T => {
    guard?.check();
    try {
      return run();
    } catch (error) {
      guard?.failed(error);
      throw error;
    }
  };
  const database = {
    close: () => file.close(),
    prepare(sql: string) {
      const statement = guarded(() => file.query(sql));
      const bindings = (parameters: readonly unknown[]) => parameters as SQLQueryBindings[];
      return {
        reader: statement.columnNames.length > 0,
        all: (parameters: readonly unknown[]) => guarded(() => statement.all(...bindings(parameters))),
        run: (parameters: readonly unknown[]) => guarded(() => statement.run(...bindings(parameters))),
        iterate: (parameters: readonly unknown[]) => statement.iterate(...bindings(parameters)),
      };
    },
  };
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database }) });
}

/** Opens the file for writing: durable at every commit, never waiting in a statement, and with checkpoints left to a side thread. */
export function openForWriting(path: string): File {
  const file = new File(path, { create: true, readwrite: true });
  file.run(`PRAGMA busy_timeout = ${OPENING_BUSY_MS_MAX}`);
  file.run("PRAGMA journal_mode = WAL");
  file.run("PRAGMA synchronous = FULL");
  file.run("PRAGMA wal_autocheckpoint = 0");
  file.run(`PRAGMA journal_size_limit = ${LOG_BYTES_KEPT}`);
  file.run("PRAGMA cache_size = -4000");
  file.run("PRAGMA temp_store = MEMORY");
  file.run("PRAGMA busy_timeout = 0");
  return file;
}

/** A connection that sees the last committed snapshot. */
export function openForReading(path: string): File {
  const file = new File(path, { readonly: true });
  file.run("PRAGMA busy_timeout = 1000");
  file.run("PRAGMA cache_size = -2000");
  return file;
}

const kept = new WeakMap<File, Statement[]>();

/** A statement that lives as long as its connection. */
export function prepareOn<Row>(file: File, sql: string): Statement<Row, SQLQueryBindings[]> {
  const statement = file.prepare<Row, SQLQueryBindings[]>(sql);
  kept.set(file, [...(kept.get(file) ?? []), statement]);
  return statement;
}

/** Closes at once: the engine keeps a file open as long as one of its statements is there. */
export function closeFile(file: File): void {
  for (const statement of kept.get(file) ?? []) statement.finalize();
  file.close();
}

export type { File, Statement };
