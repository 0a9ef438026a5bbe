import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "#src/core/log.ts";

/** The data folder can't be used; the message is one line that says why. */
export class DataFolderError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "DataFolderError";
  }
}

const SECRET_BYTES = 32;
const SECRET_LENGTH_MIN = 16;
const OTHERS_MAY_READ = 0o077;

/**
 * Makes the folder, for its owner alone, where it is missing. The rights of a folder that is there stay as they are.
 * @throws DataFolderError
 */
export function makeDataFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new DataFolderError(`the data folder ${path} can't be made: ${reasonOf(error)}`, error);
  }
}

/** The path of the file that holds the secret where POSTHOUSE_SECRET is not set. */
export function secretKeyPath(dataDir: string): string {
  return join(dataDir, "secret.key");
}

/**
 * The secret of this data folder. Made once: when several processes begin on an empty folder, all get the same.
 * @throws DataFolderError when the file can't be read or made, or holds no secret
 */
export function readOrMakeSecret(dataDir: string, log: Log): string {
  const path = secretKeyPath(dataDir);
  try {
    const secret = readSecret(path) ?? makeSecret(path);
    if ((statSync(path).mode & OTHERS_MAY_READ) !== 0)
      log.warn(`other users of this machine may read ${path}, which opens every token in the database: run chmod 600 on it`);
    return secret;
  } catch (error) {
    if (error instanceof DataFolderError) throw error;
    throw new DataFolderError(`the secret key ${path} can't be read or made: ${reasonOf(error)}`, error);
  }
}

/** Null when there is no such file. */
function readSecret(path: string): string | null {
  let secret: string;
  try {
    secret = readFileSync(path, "utf8").trim();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
  if (secret.length >= SECRET_LENGTH_MIN) return secret;
  throw new DataFolderError(`${path} holds no secret: put it back from a backup; without it the tokens in the database can't be opened`);
}

/** The file appears under its name only when it is whole and on disk; whoever is second takes what the first made. */
function makeSecret(path: string): string {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    writeSynced(draft, `${randomBytes(SECRET_BYTES).toString("base64url")}\n`);
    linkSync(draft, path);
    syncFolderOf(path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(path, "utf8").trim();
}

function writeSynced(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A new name is durable once its folder is: https://man7.org/linux/man-pages/man2/fsync.2.html */
function syncFolderOf(path: string): void {
  const folder = openSync(join(path, ".."), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
