import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { silentLog } from "#src/core/log.ts";
import { touchWake, watchWake } from "#src/wake.ts";
import { tempFolder } from "#test/support/temp-folder.ts";

/** A started door. `after(work)` resolves when it has woken after the work was done. */
async function setup(path: string) {
  let count = 0;
  let waiter: (() => void) | undefined;
  const onWake = () => {
    count++;
    waiter?.();
  };
  const door = watchWake(path, onWake, silentLog);
  await door.start();
  return {
    count: () => count,
    after(work: () => void) {
      work();
      return new Promise<void>((resolve) => (waiter = resolve));
    },
    [Symbol.asyncDispose]: () => door.stop(),
  };
}

test("another process wakes it", async () => {
  using folder = tempFolder();
  await using door = await setup(folder.path);
  await door.after(() => Bun.spawn([process.execPath, `${import.meta.dir}/support/touch-wake.ts`, folder.path]));
  expect(door.count()).toBeGreaterThan(0);
});

test("touches that come together do not wake it for each", async () => {
  using folder = tempFolder();
  await using door = await setup(folder.path);
  await door.after(() => {
    for (let i = 0; i < 200; i++) touchWake(folder.path);
  });
  expect(door.count()).toBeLessThan(10);
});

test("a touch right after another one is not lost", async () => {
  using folder = tempFolder();
  await using door = await setup(folder.path);
  for (let i = 0; i < 100; i++) await door.after(() => touchWake(folder.path));
  expect(door.count()).toBeGreaterThanOrEqual(100);
});

test("starting it does not wake it", async () => {
  using folder = tempFolder();
  await using door = await setup(folder.path);
  expect(door.count()).toBe(0);
  await door.after(() => touchWake(folder.path));
  expect(door.count()).toBe(1);
});

test("it still wakes after its file was removed", async () => {
  using folder = tempFolder();
  await using door = await setup(folder.path);
  await door.after(() => rmSync(`${folder.path}/wake`));
  for (let i = 0; i < 3; i++) await door.after(() => touchWake(folder.path));
});

test("a door that was started and stopped twice stays silent", async () => {
  using folder = tempFolder();
  let count = 0;
  const stopped = watchWake(folder.path, () => count++, silentLog);
  await stopped.start();
  await stopped.start();
  await stopped.stop();
  await stopped.stop();
  await using door = await setup(folder.path);
  await door.after(() => touchWake(folder.path));
  expect(count).toBe(0);
});

test("a data folder that goes away does not end the program", async () => {
  const folder = tempFolder();
  await using door = await setup(folder.path);
  await door.after(() => folder[Symbol.dispose]());
  expect(door.count()).toBeGreaterThan(0);
});
