import { existsSync } from "node:fs";
import { type Kysely, sql } from "kysely";
import type { Database, Engine } from "./database.ts";
import { mainJob } from "./migrations/0001-main-job.ts";
import { contacts } from "./migrations/0002-contacts.ts";
import { suppressions } from "./migrations/0003-suppressions.ts";
import { auditAndTasks } from "./migrations/0004-audit-and-tasks.ts";
import { templates } from "./migrations/0005-templates.ts";
import { fields } from "./migrations/0006-fields.ts";
import { erasure } from "./migrations/0007-erasure.ts";
import { segments } from "./migrations/0008-segments.ts";
import { scoring } from "./migrations/0009-scoring.ts";
import { merges } from "./migrations/0010-merges.ts";
import { imports } from "./migrations/0011-imports.ts";
import { inbound } from "./migrations/0012-inbound.ts";
import { webhooks } from "./migrations/0013-webhooks.ts";
import { inbox } from "./migrations/0014-inbox.ts";
import { sequences } from "./migrations/0015-sequences.ts";
import { broadcasts } from "./migrations/0016-broadcasts.ts";
import { clocks } from "./migrations/0017-clocks.ts";
import { trackedLinks } from "./migrations/0018-tracked-links.ts";

interface Migration {
  number: number;
  name: string;
  up(db: Kysely<unknown>, engine: Engine): Promise<void>;
}

/** In order, never changed once released. Static imports: an executable has no folder to scan. */
const migrations: readonly Migration[] = [
  { number: 1, name: "main-job", up: mainJob },
  { number: 2, name: "contacts", up: contacts },
  { number: 3, name: "suppressions", up: suppressions },
  { number: 4, name: "audit-and-tasks", up: auditAndTasks },
  { number: 5, name: "templates", up: templates },
  { number: 6, name: "fields", up: fields },
  { number: 7, name: "erasure", up: erasure },
  { number: 8, name: "segments", up: segments },
  { number: 9, name: "scoring", up: scoring },
  { number: 10, name: "merges", up: merges },
  { number: 11, name: "imports", up: imports },
  { number: 12, name: "inbound", up: inbound },
  { number: 13, name: "webhooks", up: webhooks },
  { number: 14, name: "inbox", up: inbox },
  { number: 15, name: "sequences", up: sequences },
  { number: 16, name: "broadcasts", up: broadcasts },
  { number: 17, name: "clocks", up: clocks },
  { number: 18, name: "tracked-links", up: trackedLinks },
];

/** The schema that this executable needs. */
export const schemaVersion = migrations.at(-1)!.number;

/** The data were written by a newer executable. */
export class NewerDatabaseError extends Error {
  constructor(version: number) {
    super(
      `the database has schema ${version}, this executable knows up to ${schemaVersion}: run the newer posthouse that wrote it, or restore a backup made before`,
    );
    this.name = "NewerDatabaseError";
  }
}

/** @returns the newest migration that the database has; 0 for an empty one */
export async function readSchemaVersion(db: Database): Promise<number> {
  // Only where we would write: another program's schema on the same server may have a table of this name.
  const found =
    db.engine === "sqlite"
      ? sql<{ name: string | null }>`select name from sqlite_master where type = 'table' and name = 'migrations'`
      : sql<{ name: string | null }>`select to_regclass(quote_ident(current_schema()) || '.migrations')::text as name`;
  if (!(await found.execute(db.read)).rows[0]?.name) return 0;
  const { rows } = await sql<{ number: number | null }>`select max(number) as number from migrations`.execute(db.read);
  return rows[0]?.number ?? 0;
}

interface MigrateOptions {
  now: number;
  /** Where a copy of a SQLite file goes before the first migration of a database that holds data. */
  backupPath: (fromVersion: number) => string;
  /** Makes sure that no program of another version works on the data meanwhile. @returns lets them again @throws Error when one does */
  alone?: () => () => void;
}

/**
 * Brings the schema up to date, each migration in a transaction of its own.
 * @returns the names of those that ran
 * @throws NewerDatabaseError, and what `alone` throws
 */
export async function migrate(db: Database, options: MigrateOptions): Promise<string[]> {
  const version = await readSchemaVersion(db);
  if (version > schemaVersion) throw new NewerDatabaseError(version);
  const pending = migrations.filter((migration) => migration.number > version);
  if (pending.length === 0) return [];
  const release = options.alone?.();
  try {
    if (version > 0 && db.engine === "sqlite") await backupSqlite(db, options.backupPath(version));
    for (const migration of pending) await apply(db, migration, options.now);
  } finally {
    release?.();
  }
  return pending.map((migration) => migration.name);
}

/** Copies a live SQLite database into one compact file. @throws Error when the file exists */
export async function backupSqlite(db: Database, path: string): Promise<void> {
  if (existsSync(path)) throw new Error(`${path} exists already: name another file`);
  await db.slowly({
    compile: () => ({ sql: "VACUUM INTO ?", parameters: [path], query: undefined as never, queryId: undefined as never }),
  });
}

function apply(db: Database, migration: Migration, now: number): Promise<void> {
  return db.write(async (tx) => {
    const kysely = db.in(tx);
    // Several copies may start at once on PostgreSQL: one migrates, the others wait and find it done.
    if (db.engine === "postgres") await sql`select pg_advisory_xact_lock(7421, 1)`.execute(kysely);
    await sql`create table if not exists migrations (number integer primary key, name text not null, applied_at bigint not null)`.execute(
      kysely,
    );
    const { rows } = await sql<{ number: number }>`select number from migrations where number = ${migration.number}`.execute(kysely);
    if (rows.length > 0) return;
    await migration.up(kysely as unknown as Kysely<unknown>, db.engine);
    await sql`insert into migrations (number, name, applied_at) values (${migration.number}, ${migration.name}, ${now})`.execute(kysely);
  });
}
