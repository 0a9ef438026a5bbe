import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { commandLine } from "#test/support/command-line.ts";

test("the copy is a database of its own, for its owner alone, taken while a server runs", async () => {
  using at = commandLine();
  await using _server = await at.serve();
  await at.json("workspaces", "set", "--name", "acme");
  const file = `${at.dataDir}/copy.db`;
  const { code, out, err } = await at.run("backup", file);
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(file) });
  expect(err).toContain("secret.key");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  using copy = new Database(file, { readonly: true });
  expect(copy.query("SELECT name FROM workspaces").all()).toEqual([{ name: "acme" }]);
  expect(copy.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
});

test("a file that is there is never overwritten", async () => {
  using at = commandLine();
  const file = `${at.dataDir}/copy.db`;
  expect(await at.json("backup", file)).toEqual({ file, bytes: expect.any(Number) });
  expect(await at.run("backup", file)).toMatchObject({ code: 1, out: "", err: expect.stringContaining("exists already") });
});

test("the file is a must", async () => {
  using at = commandLine();
  expect(await at.run("backup")).toMatchObject({ code: 2, err: expect.stringContaining("missing required argument") });
});
