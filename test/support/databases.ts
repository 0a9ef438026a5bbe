import { SQL } from "bun";
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database, DatabaseHooks } from "#db/database.ts";
import { migrate } from "#db/migrate.ts";
import { openDatabase } from "#db/open.ts";
import type { Pool } from "#db/postgres/client.ts";
import { overPool } from "#db/postgres/open.ts";
import { type Log, silentLog } from "#src/core/log.ts";
import { pglitePool } from "./pglite.ts";

/** `pglite` is PostgreSQL within this process, with one connection: for the SQL, not for what is concurrent. */
export type TestEngine = "sqlite" | "pglite" | "postgres";

/** PGlite takes seconds to start, and more beside other work: for the `beforeAll` that makes the first database. */
export const STARTUP_MS_MAX = 60_000;

/** What to run a suite on: a real server where TEST_POSTGRES_URL names one, else PostgreSQL within the process. */
export function engines(): TestEngine[] {
  return ["sqlite", serverUrl() === undefined ? "pglite" : "postgres"];
}

/** A database that goes with the scope: `await using fresh = await freshDatabase(engine)`. */
export interface FreshDatabase extends AsyncDisposable {
  readonly db: Database;
  /** What `DATABASE_URL` would be; null for pglite, which nobody else can open. */
  readonly url: string | null;
}

interface FreshOptions {
  /** False for a database without tables. */
  migrated?: boolean;
  log?: Log;
  hooks?: DatabaseHooks;
}

/** Makes a database of its own, with the newest schema, and removes it afterwards. */
export async function freshDatabase(
  engine: TestEngine,
  { migrated = true, log = silentLog, hooks = {} }: FreshOptions = {},
): Promise<FreshDatabase> {
  const place = await places[engine](migrated);
  const db = place.url === null ? overPool(place.pool, log, hooks) : openDatabase(place.url, log, hooks);
  const dispose = async () => {
    await db.close();
    await place.remove();
  };
  if (migrated) await bringUp(db);
  return { db, url: place.url, [Symbol.asyncDispose]: dispose };
}

/** Pglite has no URL. */
type Place = ({ url: string } | { url: null; pool: Pool }) & { remove(): void | Promise<void> };

/** Where a database goes: with the tables where there is a template to copy, else empty. */
const places: Record<TestEngine, (migrated: boolean) => Promise<Place>> = {
  sqlite: freshFile,
  pglite: freshSchema,
  postgres: freshOnServer,
};

async function freshFile(migrated: boolean): Promise<Place> {
  const folder = newFolder();
  const file = join(folder, "posthouse.db");
  if (migrated) copyFileSync(await templateFile(), file);
  return { url: `sqlite:${file}`, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

async function freshSchema(): Promise<Place> {
  return { url: null, pool: await pglitePool(freshName()), remove: () => {} };
}

async function freshOnServer(migrated: boolean): Promise<Place> {
  const name = freshName();
  await onServer(migrated ? `create database ${name} template ${await templateOnServer()} strategy file_copy` : `create database ${name}`);
  return { url: onServerUrl(name), remove: () => onServer(`drop database ${name} with (force)`) };
}

// Migrating takes longer than most tests: done once for a schema, then copied.
const templateFile = once(async () => {
  const folder = newFolder();
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "posthouse.db");
  await make(`sqlite:${file}`);
  return file;
});

/** One for all processes that run tests with this schema; it stays on the server until the schema has changed. */
const templateOnServer = once(async () => {
  const prefix = "posthouse_test_template_";
  const name = prefix + schemaHash();
  await using server = new SQL(serverUrl() ?? "", { max: 1 });
  await server`select pg_advisory_lock(7421, 2)`;
  const all: { datname: string }[] = await server`select datname from pg_database where starts_with(datname, ${prefix})`;
  if (all.some(({ datname }) => datname === name)) return name;
  for (const { datname } of all) await server.unsafe(`drop database ${datname} with (force)`);
  // Under another name until it is whole, for whoever comes after a kill.
  const draft = freshName();
  await server.unsafe(`create database ${draft}`);
  await make(onServerUrl(draft));
  await server.unsafe(`alter database ${draft} rename to ${name}`);
  return name;
});

function schemaHash(): string {
  const folder = join(import.meta.dir, "..", "..", "db");
  const hash = new Bun.CryptoHasher("sha256");
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    if (file.endsWith(".ts")) hash.update(readFileSync(join(folder, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

async function make(url: string): Promise<void> {
  const db = openDatabase(url, silentLog);
  await bringUp(db);
  await db.close();
}

async function bringUp(db: Database): Promise<void> {
  await migrate(db, { now: 0, backupPath: () => join(tmpdir(), freshName()) });
}

async function onServer(statement: string): Promise<void> {
  await using server = new SQL(serverUrl() ?? "", { max: 1 });
  await server.unsafe(statement);
}

function onServerUrl(name: string): string {
  const url = new URL(serverUrl() ?? "");
  url.pathname = name;
  return url.href;
}

/**
 * Of several servers the one that is this worker's, of those who share the tests: readers of events wait for transactions
 * of a whole server, so tests that run at the same time don't share one.
 */
function serverUrl(): string | undefined {
  const all = process.env["TEST_POSTGRES_URL"]?.split(" ");
  const worker = Number(process.env["BUN_TEST_WORKER_ID"] ?? 1);
  return all?.[(worker - 1) % all.length];
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "posthouse-test-"));
}

function freshName(): string {
  return `posthouse_test_${randomBytes(6).toString("hex")}`;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
