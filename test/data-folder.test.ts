import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createLog, silentLog } from "#src/core/log.ts";
import { DataFolderError, makeDataFolder, readOrMakeSecret, secretKeyPath } from "#src/data-folder.ts";
import { tempFolder } from "#test/support/temp-folder.ts";

const modeOf = (path: string) => statSync(path).mode & 0o777;

test("a missing data folder is made for its owner alone", () => {
  using folder = tempFolder();
  const path = `${folder.path}/a/data`;
  makeDataFolder(path);
  expect(modeOf(path)).toBe(0o700);
});

test("the rights of a data folder that is there stay as they are", () => {
  using folder = tempFolder();
  chmodSync(folder.path, 0o750);
  makeDataFolder(folder.path);
  expect(modeOf(folder.path)).toBe(0o750);
});

test("a data folder that can't be made is told in one line", () => {
  using folder = tempFolder();
  writeFileSync(`${folder.path}/file`, "");
  expect(() => makeDataFolder(`${folder.path}/file/data`)).toThrow(DataFolderError);
  expect(() => makeDataFolder(`${folder.path}/file/data`)).toThrow(/^the data folder .*\/file\/data can't be made: [^\n]*$/);
});

test("the secret is made once, with 256 random bits, for its owner alone", () => {
  using folder = tempFolder();
  const secret = readOrMakeSecret(folder.path, silentLog);
  expect(Buffer.from(secret, "base64url")).toHaveLength(32);
  expect(modeOf(secretKeyPath(folder.path))).toBe(0o600);
  expect(readOrMakeSecret(folder.path, silentLog)).toBe(secret);
  expect(readdirSync(folder.path)).toEqual(["secret.key"]);
});

test("another folder gets another secret", () => {
  using one = tempFolder();
  using two = tempFolder();
  expect(readOrMakeSecret(one.path, silentLog)).not.toBe(readOrMakeSecret(two.path, silentLog));
});

test("processes that begin together on an empty folder all get the same secret", async () => {
  using folder = tempFolder();
  const processes = Array.from({ length: 6 }, () =>
    Bun.spawn([process.execPath, `${import.meta.dir}/support/print-secret.ts`, folder.path]),
  );
  const secrets = await Promise.all(processes.map((child) => child.stdout.text()));
  expect(new Set(secrets).size).toBe(1);
  expect(secrets[0]).toBe(readFileSync(secretKeyPath(folder.path), "utf8").trim());
  expect(readdirSync(folder.path)).toEqual(["secret.key"]);
});

test("a secret that others may read is used with a warning that says what to do", () => {
  using folder = tempFolder();
  const secret = readOrMakeSecret(folder.path, silentLog);
  chmodSync(secretKeyPath(folder.path), 0o644);
  const lines: string[] = [];
  const log = createLog({ level: "info", format: "json", now: () => 0, write: (line) => lines.push(line) });
  expect(readOrMakeSecret(folder.path, log)).toBe(secret);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("chmod 600");
  expect(lines[0]).not.toContain(secret);
});

test("an emptied secret is never replaced, since the old one opens the tokens in the database", () => {
  using folder = tempFolder();
  writeFileSync(secretKeyPath(folder.path), "\n", { mode: 0o600 });
  expect(() => readOrMakeSecret(folder.path, silentLog)).toThrow(/holds no secret: put it back from a backup/);
  expect(readFileSync(secretKeyPath(folder.path), "utf8")).toBe("\n");
});

test("a secret that can't be read is told in one line", () => {
  using folder = tempFolder();
  mkdirSync(secretKeyPath(folder.path));
  expect(() => readOrMakeSecret(folder.path, silentLog)).toThrow(DataFolderError);
  expect(() => readOrMakeSecret(`${folder.path}/missing`, silentLog)).toThrow(/^the secret key .*secret\.key can't be read or made/);
  expect(existsSync(`${folder.path}/missing`)).toBe(false);
});
