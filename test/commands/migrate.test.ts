import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { schemaVersion } from "#db/migrate.ts";
import { lockDataFolder } from "#src/serve-lock.ts";
import { commandLine } from "#test/support/command-line.ts";

test("an empty folder gets the newest schema, a second time nothing", async () => {
  using at = commandLine();
  const { applied, schema } = await at.json<{ applied: string[]; schema: number }>("migrate");
  expect(applied).toContain("main-job");
  expect(schema).toBe(schemaVersion);
  expect(await at.json("migrate")).toEqual({ applied: [], schema: schemaVersion });
  expect((await at.run("migrate")).out).toBe(`schema ${schemaVersion}: up to date\n`);
});

test("no command migrates under a running serve", async () => {
  using at = commandLine();
  mkdirSync(at.dataDir, { recursive: true });
  const refused = { code: 1, out: "", err: expect.stringContaining("in use by another posthouse serve") };
  const unlock = lockDataFolder(at.dataDir);
  expect(await at.run("migrate")).toMatchObject(refused);
  expect(await at.run("workspaces", "list")).toMatchObject(refused);
  unlock();
  await at.json("migrate");
  const unlockAgain = lockDataFolder(at.dataDir);
  expect(await at.run("workspaces", "list")).toMatchObject({ code: 0 });
  unlockAgain();
});

test("a database of a newer executable is refused by every command, with what to do", async () => {
  using at = commandLine();
  await at.json("migrate");
  using raw = new Database(`${at.dataDir}/posthouse.db`);
  raw.run("INSERT INTO migrations (number, name, applied_at) VALUES (?, 'later', 0)", [schemaVersion + 1]);
  for (const argv of [["migrate"], ["keys", "list"], ["serve", "--port", "0"]])
    expect(await at.run(...argv)).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(/^the database has schema \d+[^\n]*run the newer posthouse[^\n]*\n$/),
    });
});

test("a file that is no database is told in one line", async () => {
  using at = commandLine();
  await at.json("migrate");
  await Bun.write(`${at.dataDir}/posthouse.db`, "not a database".repeat(1000));
  expect(await at.run("keys", "list")).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringMatching(/^the database can't be used: [^\n]*posthouse doctor[^\n]*\n$/),
  });
});
