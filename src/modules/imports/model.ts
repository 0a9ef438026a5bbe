import { type Static, Type } from "@sinclair/typebox";
import type { AppError } from "#src/core/errors.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

export const importKinds = ["contacts"] as const;
export const importModes = ["create", "update", "upsert"] as const;
export type ImportMode = (typeof importModes)[number];
export type ImportFormat = "csv" | "ndjson";

/** What columns or members are, by their names in the file; null leaves one out. */
export type Mapping = Readonly<Record<string, string | null>>;
/** What each column of a table is. */
type Columns = readonly (string | null)[];

/** What was asked of an import. */
export interface ImportAsk {
  format: ImportFormat;
  mode: ImportMode;
  dry_run: boolean;
  mapping: Mapping;
}

/** Where a record of a file begins: the chunk, the place in its text (UTF-16 units), and the line of the file. */
export interface Place {
  seq: number;
  at: number;
  line: number;
}

/** How a CSV is written. */
export interface Dialect {
  delimiter: string;
  newline: "\r\n" | "\n" | "\r";
}

/** What the long job knows of its import. */
export interface ImportParams extends ImportAsk {
  import_id: string;
  chunks: number;
  rows: number;
  begin: Place;
  /** Of a CSV. */
  dialect: Dialect | null;
  columns: Columns;
}

/** A difference that a dry run shows. */
export const Sample = Type.Object(
  {
    line: Type.Integer({ description: "Of the file, on which the row begins." }),
    change: Type.Union([Type.Literal("created"), Type.Literal("updated")]),
    contact_id: Type.Union([Type.String(), Type.Null()], { description: "Of whom would be changed." }),
    members: Type.Record(Type.String(), Type.Object({ before: Type.Unknown(), after: Type.Unknown() })),
  },
  { $id: "ImportDifference" },
);
export type Sample = Static<typeof Sample>;

interface ImportCounts {
  created: number;
  updated: number;
  unchanged: number;
  skipped: number;
  failed: number;
}

/** Between two steps. */
export interface ImportState extends ImportCounts {
  place: Place;
  /** Changes that were noted so far. */
  changes: number;
  /** The least number that this import has given. */
  own_from: number | null;
  report: string | null;
  /** Of a dry run: where its differences are shown. A job is kept for good, and must not hold what people's contacts do. */
  sample: string | null;
}

/** Rows read for a step: what each says, or why it can't be taken. Only the target knows what is in an entry. */
export interface ReadRows {
  entries: unknown[];
  known: unknown;
}

interface WriteOptions {
  mode: ImportMode;
  dry: boolean;
  samples: number;
  isOwn(tx: Tx, number: number): Maybe<boolean>;
}

export interface Written {
  /** In the order of the entries. */
  outcomes: readonly ({ kind: "created" | "updated" | "unchanged" | "skipped" } | { kind: "failed"; error: AppError })[];
  made: { first: number; last: number; at: number } | null;
  changes: readonly { contact_id: string; written_at: number; changed: object | null }[];
  samples: readonly (Omit<Sample, "line"> & { index: number })[];
}

/** What is imported into. */
export interface ImportTarget {
  columns(env_id: number, header: readonly string[], mapping: Mapping): Promise<Columns>;
  checkMapping(env_id: number, mapping: Mapping): Promise<void>;
  reader(
    env_id: number,
    columns: Columns,
    mapping: Mapping,
  ): Promise<{ known: unknown; read(row: { cells: readonly string[] } | { object: Record<string, unknown> }): unknown }>;
  write(tx: Tx, env_id: number, rows: ReadRows, options: WriteOptions): Promise<Written>;
  remove(
    tx: Tx,
    env_id: number,
    first: number,
    last: number,
    madeAt: number,
    writtenAt: ReadonlyMap<string, number>,
  ): Promise<{ removed: number; kept: number }>;
  restore(tx: Tx, env_id: number, contact_id: string, changed: object): Promise<boolean>;
}
