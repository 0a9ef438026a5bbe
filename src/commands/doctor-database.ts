import { existsSync } from "node:fs";
import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { readSchemaVersion, schemaVersion } from "#db/migrate.ts";
import { openDatabase } from "#db/open.ts";
import { silentLog } from "#src/core/log.ts";
import type { Config } from "#src/config.ts";
import type { Check } from "./doctor.ts";

const name = "database";

/** Opens the database, and on SQLite reads all of it. A file that is not there is not made. */
export async function checkDatabase({ database_url }: Config): Promise<Check[]> {
  const path = database_url.startsWith("sqlite:") ? database_url.slice("sqlite:".length) : null;
  if (path !== null && !existsSync(path))
    return [{ name, status: "ok", found: `${path} is not there yet; the first posthouse serve makes it` }];
  try {
    const db = openDatabase(database_url, silentLog);
    try {
      return [await checkSchema(db), ...(path === null ? [] : [await checkIntegrity(db, path)])];
    } finally {
      await db.close();
    }
  } catch (error) {
    const advice =
      path === null ? "start the database server, and look at DATABASE_URL" : "restore a backup, or look at the rights of the file";
    return [{ name, status: "failed", found: `it can't be opened: ${(error as Error).message}`, advice }];
  }
}

async function checkSchema(db: Database): Promise<Check> {
  const version = await readSchemaVersion(db);
  const found = `${db.engine}, schema ${version}`;
  if (version === schemaVersion) return { name, status: "ok", found };
  if (version < schemaVersion)
    return {
      name,
      status: "warning",
      found: `${found}, this executable needs ${schemaVersion}`,
      advice: "posthouse serve brings it up to date",
    };
  const advice = "run the newer posthouse that wrote it, or restore a backup made before";
  return { name, status: "failed", found: `${found}, this executable knows up to ${schemaVersion}`, advice };
}

/** https://www.sqlite.org/pragma.html#pragma_quick_check: all but the indexes' agreement with their tables. */
async function checkIntegrity(db: Database, path: string): Promise<Check> {
  const pragma = sql<{ quick_check: string }>`PRAGMA quick_check(10)`;
  const rows = await db.slowly({ compile: () => pragma.compile(db.read) });
  const faults = rows.map((row) => row.quick_check).filter((text) => text !== "ok");
  if (faults.length === 0) return { name: "integrity", status: "ok", found: "every page of the file is sound" };
  return {
    name: "integrity",
    status: "failed",
    found: faults.join("; "),
    advice: `stop posthouse, keep a copy of ${path}, and restore a backup`,
  };
}
