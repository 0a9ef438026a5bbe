import { Database as File } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createSideThread } from "#db/sqlite/side-thread.ts";
import { tempFolder } from "#test/support/temp-folder.ts";

const BUSY_MS = 100;

test("a side thread that could not open its file says so to all who ask, and is started anew for the next question", async () => {
  using folder = tempFolder();
  const path = join(folder.path, "later", "posthouse.db");
  const side = createSideThread(path, BUSY_MS);
  const answers = await Promise.allSettled([side.query("select 1", []), side.checkpoint("PASSIVE")]);
  for (const answer of answers) expect(answer).toMatchObject({ status: "rejected", reason: { code: "SQLITE_CANTOPEN" } });
  mkdirSync(join(folder.path, "later"));
  new File(path, { create: true }).close();
  expect(await side.query<{ one: number }>("select 1 as one", [])).toEqual([{ one: 1 }]);
  await side.close();
});

test("a side thread answers in order, and closes after what it was asked before", async () => {
  using folder = tempFolder();
  const path = join(folder.path, "posthouse.db");
  new File(path, { create: true }).close();
  const side = createSideThread(path, BUSY_MS);
  const order: string[] = [];
  const asked = ["a", "b", "c"].map((name) => side.query("select ? as name", [name]).then(([row]) => order.push(JSON.stringify(row))));
  await Promise.all([...asked, side.close().then(() => order.push("closed"))]);
  expect(order).toEqual(['{"name":"a"}', '{"name":"b"}', '{"name":"c"}', "closed"]);
});

test("a side thread that was never asked anything closes at once", async () => {
  await createSideThread("/nowhere", BUSY_MS).close();
});
