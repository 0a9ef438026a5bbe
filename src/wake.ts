import { type FSWatcher, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Component } from "#src/core/lifecycle.ts";
import type { Log } from "#src/core/log.ts";

/** Bun's fs.watch drops what happens within 1 ms of an event that it has told: a second look finds that. */
const SECOND_LOOK_MS = 5;

/** Tells a `serve` on this data folder, if there is one, that another process has written to its database. */
export function touchWake(dataDir: string): void {
  writeFileSync(wakePath(dataDir), `${process.pid}\n`, { mode: 0o600 });
}

/**
 * Calls `onWake` after other processes have called `touchWake`: at least once after each, not once for each.
 * The file itself is watched and not the folder, which sees an event for every write to the database.
 */
export function watchWake(dataDir: string, onWake: () => void, log: Log): Component {
  const path = wakePath(dataDir);
  let watcher: FSWatcher | undefined;
  let firstLook: NodeJS.Immediate | undefined;
  let secondLook: NodeJS.Timeout | undefined;

  function open(): void {
    touchWake(dataDir);
    watcher = watch(path, (event) => {
      // The file was removed or replaced: its watch has ended, and what came after went unseen.
      if (event === "rename") reopen();
      look();
    });
  }

  function reopen(): void {
    watcher?.close();
    try {
      open();
    } catch (error) {
      log.error("the wake-up file can't be made: what commands do beside this program is seen late", { path, error });
    }
  }

  function look(): void {
    firstLook ??= setImmediate(() => {
      firstLook = undefined;
      onWake();
    });
    clearTimeout(secondLook);
    secondLook = setTimeout(onWake, SECOND_LOOK_MS);
  }

  return {
    name: "wake-up door",
    start() {
      if (watcher === undefined) open();
      return Promise.resolve();
    },
    stop() {
      watcher?.close();
      watcher = undefined;
      clearImmediate(firstLook);
      clearTimeout(secondLook);
      firstLook = undefined;
      return Promise.resolve();
    },
  };
}

function wakePath(dataDir: string): string {
  return join(dataDir, "wake");
}
