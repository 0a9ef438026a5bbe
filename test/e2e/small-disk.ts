import { closeSync, existsSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "#test/support/temp-folder.ts";
import { databaseOf } from "./posthouse.ts";

/** A place for data in which a program runs out of room when a test says so. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  /** What the program must be started by. */
  readonly launcher: readonly string[];
  /** From here on the program can't write a byte more. */
  fill(pid: number): void;
  makeRoom(): void;
}

const DISK_BYTES = 64 * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024);

/** A disk in memory, that is full when a file fills it. Needs the right to mount. */
function memoryDisk(): SmallDisk {
  const folder = tempFolder();
  const { path } = folder;
  must(["mount", "-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", path]);
  const ballast = join(path, "ballast");
  return {
    path,
    launcher: [],
    fill: () => fillWith(ballast),
    makeRoom: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]() {
      must(["umount", path]);
      folder[Symbol.dispose]();
    },
  };
}

/** A limit on the size of the program's files, at what its log has already: https://man7.org/linux/man-pages/man2/setrlimit.2.html */
function limitedFiles(): SmallDisk {
  const folder = tempFolder();
  let limited = 0;
  return {
    path: folder.path,
    launcher: limitedTo("unlimited"),
    fill(pid) {
      limited = pid;
      must(["prlimit", `--pid=${pid}`, `--fsize=${statSync(`${databaseOf(folder.path)}-wal`).size}:`]);
    },
    makeRoom() {
      // The limit ends with its process.
      if (existsSync(`/proc/${limited}`)) must(["prlimit", `--pid=${limited}`, "--fsize=unlimited:"]);
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

/**
 * Starts a program whose files can't grow past a limit.
 * @param blocks of 512 bytes
 */
export function limitedTo(blocks: number | "unlimited"): string[] {
  // Past the limit a write fails, where without the trap a signal would end the program.
  return ["sh", "-c", `trap "" XFSZ; ulimit -S -f ${blocks}; exec "$@"`, "sh"];
}

/** The kinds of small disks that can be had on this machine, by what they are; at least one. */
export const smallDisks: readonly (readonly [title: string, make: () => SmallDisk])[] = [
  ...(mayMount() ? [["the disk is full", memoryDisk] as const] : []),
  ["its files may not grow", limitedFiles],
];

function mayMount(): boolean {
  try {
    memoryDisk()[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

function fillWith(path: string): void {
  const file = openSync(path, "a");
  try {
    for (;;) writeSync(file, CHUNK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(file);
  }
}

function must(command: string[]): void {
  const { success, stderr } = Bun.spawnSync(command);
  if (!success) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}
