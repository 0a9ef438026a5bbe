import { SQL } from "bun";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database, DatabaseHooks } from "#db/database.ts";
import { migrate } from "#db/migrate.ts";
import { openDatabase } from "#db/open.ts";
import { overPool } from "#db/postgres/open.ts";
import { type Log, silentLog } from "#src/core/log.ts";
import { pglitePool } from "./pglite.ts";

/** `pglite` is PostgreSQL within this process, with one connection: for the SQL, not for what is concurrent. */
export type TestEngine = "sqlite" | "pglite" | "postgres";

/** PGlite takes seconds to start, and more beside other work: for the `beforeAll` that makes the first database. */
export const STARTUP_MS_MAX = 60_000;

/** What to run a suite on: a real server too where TEST_POSTGRES_URL names one. */
export function engines(): TestEngine[] {
  return serverUrl() === undefined ? ["sqlite", "pglite"] : ["sqlite", "pglite", "postgres"];
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
  const place = await (engine === "sqlite" ? freshFile() : engine === "postgres" ? freshOnServer() : freshSchema());
  const db = place.url === null ? overPool(place.pool, log, hooks) : openDatabase(place.url, log, hooks);
  const dispose = async () => {
    await db.close();
    await place.remove();
  };
  if (migrated) await migrate(db, { now: 0, backupPath: () => join(tmpdir(), freshName()) });
  return { db, url: place.url, [Symbol.asyncDispose]: dispose };
}

function freshFile() {
  const folder = mkdtempSync(join(tmpdir(), "posthouse-test-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { url: `sqlite:${join(folder, "posthouse.db")}`, remove };
}

async function freshSchema() {
  return { url: null, pool: await pglitePool(freshName()), remove: () => {} };
}

async function freshOnServer() {
  const name = freshName();
  const url = new URL(serverUrl() ?? "");
  await onServer(`create database ${name}`);
  url.pathname = name;
  return { url: url.href, remove: () => onServer(`drop database ${name} with (force)`) };
}

async function onServer(statement: string): Promise<void> {
  await using server = new SQL(serverUrl() ?? "", { max: 1 });
  await server.unsafe(statement);
}

function serverUrl(): string | undefined {
  return process.env["TEST_POSTGRES_URL"];
}

function freshName(): string {
  return `posthouse_test_${randomBytes(6).toString("hex")}`;
}
