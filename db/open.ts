import type { Log } from "#src/core/log.ts";
import type { Database, DatabaseHooks } from "./database.ts";
import { openPostgres } from "./postgres/open.ts";
import { openSqlite } from "./sqlite/open.ts";

/**
 * Opens the database that a URL names, without migrating it.
 * @param url `sqlite:PATH` or `postgres://…`
 */
export function openDatabase(url: string, log: Log, hooks?: DatabaseHooks): Database {
  return url.startsWith("sqlite:") ? openSqlite(url.slice("sqlite:".length), log, hooks) : openPostgres(url, log, hooks);
}
