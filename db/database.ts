import type { Compilable, Kysely } from "kysely";
import type { CsvColumn, CsvPart } from "#src/core/csv.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Schema } from "./schema.ts";

export type Engine = "sqlite" | "postgres";

/** The one door to the data. */
export interface Database {
  readonly engine: Engine;
  /** The last committed snapshot. Not for what can take over 5 ms: see `slowly`. */
  readonly read: Kysely<Schema>;
  /**
   * Runs `work` in a write transaction and resolves with its answer once that is on disk.
   * `work` must do nothing but `tx`: it shares its moment with other writes, and may be run again.
   * A statement that fails fails the whole work, also when its error is caught: where a clash is expected, say `on conflict`.
   * @throws whatever `work` throws (then nothing of it is stored); AppError `unavailable` when the disk is full, the server
   * is away or too much is waiting
   */
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
  /** Kysely within a transaction: for what is not hot. */
  in(tx: Tx): Kysely<Schema>;
  /**
   * A statement that is built once and then runs prepared.
   * @param build gets a function that makes a marker for a named value
   * @throws Error when a marker is not used exactly once
   */
  prepare<Values extends object, Row = Record<string, never>>(build: Build<Values>): Prepared<Values, Row>;
  /** Runs a read that may take long beside the main thread. */
  slowly<Row>(query: Compilable<Row>): Promise<Row[]>;
  /**
   * As `slowly`, with the rows as lines of CSV. On SQLite they are written where they are read, beside the main thread.
   * @param columns what the query selects, under these names and in this order
   */
  slowlyCsv(query: Compilable<unknown>, columns: readonly CsvColumn[]): Promise<CsvPart>;
  /** Resolves when long work may write: on SQLite not while the log begins anew, for which the less is written the shorter requests wait. */
  calm(): Promise<void>;
  /** True when a program beside this one has written since the last call. Cheap. SQLite only; false on PostgreSQL. */
  changedElsewhere(): boolean;
  close(): Promise<void>;
}

export type Build<Values> = (db: Kysely<Schema>, value: <Name extends keyof Values>(name: Name) => Values[Name]) => Compilable<unknown>;

/** A hot statement. On SQLite it answers at once, on PostgreSQL with a promise. */
export interface Prepared<Values extends object, Row> {
  /** @param tx the transaction, or null to read the last committed snapshot */
  all(tx: Tx | null, values: Values): Maybe<Row[]>;
  one(tx: Tx | null, values: Values): Maybe<Row | undefined>;
  /** @returns how many rows it changed */
  run(tx: Tx, values: Values): Maybe<number>;
  /**
   * For an insert of whose outcome nobody asks: PostgreSQL gets it without anyone waiting for the answer, and in the end
   * together with the commit. When it fails, the whole work fails with its error.
   */
  later(tx: Tx, values: Values): void;
}

/** What a database tells of its work. */
export interface DatabaseHooks {
  onCommit?(writes: number, seconds: number): void;
}
