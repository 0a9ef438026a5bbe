import { Database } from "bun:sqlite";
import { join } from "node:path";
import { DataFolderError } from "./data-folder.ts";

/** Kept reachable: a connection that is collected as garbage gives up its lock. */
const held = new Set<Database>();

/**
 * Takes the data folder for one `serve`. The lock is one of the operating system's on a SQLite file, so it ends with
 * the process, however that ends.
 * @returns gives the folder up again
 * @throws DataFolderError when another process has it, or when the file can't be locked
 */
export function lockDataFolder(dataDir: string): () => void {
  const path = join(dataDir, "serve.lock");
  let lock: Database | undefined;
  try {
    lock = new Database(path, { create: true });
    lock.run("PRAGMA busy_timeout = 0");
    lock.run("BEGIN EXCLUSIVE");
  } catch (error) {
    lock?.close();
    throw asDataFolderError(error, dataDir, path);
  }
  const taken = lock;
  held.add(taken);
  return () => {
    if (held.delete(taken)) taken.close();
  };
}

function asDataFolderError(error: unknown, dataDir: string, path: string): DataFolderError {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === "SQLITE_BUSY")
    return new DataFolderError(
      `the data folder ${dataDir} is in use by another posthouse serve: stop that one, or set another DATA_DIR`,
      error,
    );
  return new DataFolderError(`${path} can't be locked: ${String(message)}`, error);
}
