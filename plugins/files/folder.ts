import { mkdir, open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "#src/core/errors.ts";
import type { FileFolder, GrowingFile } from "#src/modules/files/model.ts";

const NAME = /^[\w.-]+$/;
const SHARD = /^\w\w$/;
const INCOMING = "incoming";
const RETRY_SECONDS = 30;

/**
 * Files in a folder. What comes in grows under `incoming`, and is renamed once its bytes are on the disk: a name is a whole file.
 * The others are in folders by the last two characters of their names, since some file systems are slow with many in one.
 */
export function createFileFolder(folder: string): FileFolder {
  const placeOf = (name: string) => join(folder, safe(name).slice(-2), name);
  const partOf = (part: string) => join(folder, INCOMING, safe(part));

  return {
    async begin(part) {
      const path = partOf(part);
      const handle = await onDisk(async () => {
        await mkdir(join(folder, INCOMING), { recursive: true, mode: 0o700 });
        return open(path, "wx+", 0o600);
      });
      return growing(handle, path, placeOf);
    },
    async open(name) {
      const file = Bun.file(placeOf(name));
      return (await file.exists()) ? file : null;
    },
    remove: (name) => rm(placeOf(name), { force: true }),
    removePart: (part) => rm(partOf(part), { force: true }),
    async *names() {
      for (const shard of await list(folder)) if (SHARD.test(shard)) yield* await list(join(folder, shard));
    },
    parts: () => list(join(folder, INCOMING)),
  };
}

function growing(handle: FileHandle, path: string, placeOf: (name: string) => string): GrowingFile {
  let size = 0;
  let kept = false;
  return {
    async add(bytes) {
      for (let at = 0; at < bytes.byteLength;) {
        const { bytesWritten } = await onDisk(() => handle.write(bytes, at, bytes.byteLength - at, size));
        at += bytesWritten;
        size += bytesWritten;
      }
    },
    async read(from, most) {
      const length = Math.min(most, size - from);
      const { bytesRead, buffer } = await handle.read(new Uint8Array(length), 0, length, from);
      return buffer.subarray(0, bytesRead);
    },
    async keep(name) {
      const place = placeOf(name);
      const shard = dirname(place);
      await onDisk(async () => {
        await handle.sync();
        const made = await mkdir(shard, { recursive: true, mode: 0o700 });
        if (made !== undefined) await syncFolder(dirname(made));
        await rename(path, place);
        await syncFolder(shard);
      });
      kept = true;
    },
    async close() {
      await handle.close();
      if (!kept) await rm(path, { force: true });
    },
  };
}

/** The name itself is durable only with its folder. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function list(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) !== "ENOSPC" && codeOf(error) !== "EDQUOT") throw error;
    throw new AppError("unavailable", "The disk is full: nothing was stored.", { retryAfter: RETRY_SECONDS, cause: error });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function safe(name: string): string {
  if (!NAME.test(name) || name.startsWith(".")) throw new Error("a file's name has characters that it never has");
  return name;
}
