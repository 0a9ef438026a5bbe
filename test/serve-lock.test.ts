import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { DataFolderError } from "#src/data-folder.ts";
import { lockDataFolder } from "#src/serve-lock.ts";
import { tempFolder } from "#test/support/temp-folder.ts";

/** Another process that has taken the lock. */
async function startHolder(path: string) {
  const holder = Bun.spawn([process.execPath, `${import.meta.dir}/support/hold-serve-lock.ts`, path], { stdin: "pipe", stdout: "pipe" });
  const reader = holder.stdout.getReader();
  const { value } = await reader.read();
  expect(new TextDecoder().decode(value)).toBe("locked\n");
  return holder;
}

test("a data folder that another process serves is refused in one line", async () => {
  using folder = tempFolder();
  const holder = await startHolder(folder.path);
  expect(() => lockDataFolder(folder.path)).toThrow(DataFolderError);
  expect(() => lockDataFolder(folder.path)).toThrow(/^the data folder .* is in use by another posthouse serve: stop that one[^\n]*$/);
  holder.kill("SIGKILL");
  await holder.exited;
});

test("after kill -9 the folder can be served at once", async () => {
  using folder = tempFolder();
  const holder = await startHolder(folder.path);
  holder.kill("SIGKILL");
  await holder.exited;
  lockDataFolder(folder.path)();
});

test("within one process the folder is taken once, and free again after it was given up", () => {
  using folder = tempFolder();
  const release = lockDataFolder(folder.path);
  expect(() => lockDataFolder(folder.path)).toThrow(DataFolderError);
  release();
  release();
  lockDataFolder(folder.path)();
});

test("a refused attempt does not loosen the lock of the one that has it", async () => {
  using folder = tempFolder();
  const holder = await startHolder(folder.path);
  expect(() => lockDataFolder(folder.path)).toThrow(DataFolderError);
  expect(() => lockDataFolder(folder.path)).toThrow(DataFolderError);
  holder.kill("SIGKILL");
  await holder.exited;
});

test("the lock outlives the garbage collector, even where nobody keeps what gives it up", () => {
  using folder = tempFolder();
  lockDataFolder(folder.path);
  Bun.gc(true);
  expect(() => lockDataFolder(folder.path)).toThrow(DataFolderError);
});

test("a lock file that can't be used is told with its path", () => {
  using folder = tempFolder();
  expect(() => lockDataFolder(`${folder.path}/missing`)).toThrow(/serve\.lock can't be locked: /);
  writeFileSync(`${folder.path}/serve.lock`, "not a database, but long enough to be looked at as one".repeat(100));
  expect(() => lockDataFolder(folder.path)).toThrow(/serve\.lock can't be locked: /);
});
