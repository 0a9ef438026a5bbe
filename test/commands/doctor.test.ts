import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { openDatabase } from "#db/open.ts";
import { migrate, schemaVersion } from "#db/migrate.ts";
import type { Check } from "#src/commands/doctor.ts";
import { checkClock } from "#src/commands/doctor-telegram.ts";
import { systemClock } from "#src/core/clock.ts";
import { silentLog } from "#src/core/log.ts";
import { makeDataFolder, readOrMakeSecret } from "#src/data-folder.ts";
import { certificateKeyPem, certificatePem, otherKeyPem } from "#test/support/certificate.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { runCommand } from "#test/support/terminal.ts";

/** A data folder, empty or with a database, and a Bot API server. */
async function setup({ withDatabase = true } = {}) {
  const folder = tempFolder();
  const dataDir = `${folder.path}/data`;
  const telegram = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("{}", { status: 404 }) });
  if (withDatabase) {
    makeDataFolder(dataDir);
    readOrMakeSecret(dataDir, silentLog);
    const db = openDatabase(`sqlite:${dataDir}/posthouse.db`, silentLog);
    await migrate(db, { now: systemClock.now(), backupPath: () => `${folder.path}/backup.db` });
    await db.close();
  }
  const env = { DATA_DIR: dataDir, PORT: "0", TELEGRAM_API_ROOT: telegram.url.href };
  return {
    dataDir,
    database: `${dataDir}/posthouse.db`,
    telegram,
    /** The exit code, and what was found of one thing. */
    async look(name: string, more: Record<string, string> = {}) {
      const { code, out } = await runCommand(["doctor", "--json"], { ...env, ...more });
      const { healthy, checks } = JSON.parse(out) as { healthy: boolean; checks: Check[] };
      expect(healthy).toBe(code === 0);
      const check = checks.find((one) => one.name === name);
      return { code, status: check?.status, found: check?.found ?? "", advice: check?.advice ?? "" };
    },
    run: (...flags: string[]) => runCommand(["doctor", ...flags], env),
    async [Symbol.asyncDispose]() {
      await telegram.stop(true);
      folder[Symbol.dispose]();
    },
  };
}

test("a healthy installation passes, each check in a line", async () => {
  await using at = await setup();
  const { code, out, err } = await at.run();
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const names = out.split("\n").map((line) => /^✓ ([a-z ]+): /.exec(line)?.[1]);
  expect(names).toEqual(["settings", "data folder", "disk", "secret", "database", "integrity", "clock", "telegram", "port", undefined]);
});

test("an empty machine passes too, and nothing is made on it", async () => {
  await using at = await setup({ withDatabase: false });
  expect((await at.run()).code).toBe(0);
  expect(existsSync(at.dataDir)).toBe(false);
});

test("settings that do not parse are told, each with what is accepted", async () => {
  await using at = await setup();
  const { code, out } = await runCommand(["doctor"], { PORT: "x", LOG_LEVEL: "y" });
  expect(code).toBe(1);
  expect(out).toContain('✗ settings: PORT is "x"; accepted: a whole number from 0 to 65535\n    → ');
  expect(out).toContain("✗ settings: LOG_LEVEL");
  expect(await at.look("settings")).toMatchObject({ code: 0, status: "ok" });
});

test("rights that let others read are told with the command that mends them", async () => {
  await using at = await setup();
  chmodSync(at.dataDir, 0o755);
  expect(await at.look("data folder")).toMatchObject({ code: 0, status: "warning", advice: `chmod 700 ${at.dataDir}` });
  chmodSync(`${at.dataDir}/secret.key`, 0o644);
  expect(await at.look("secret")).toMatchObject({ code: 1, status: "failed", advice: `chmod 600 ${at.dataDir}/secret.key` });
});

test("a database without its secret fails, unless the environment has the secret", async () => {
  await using at = await setup();
  await Bun.file(`${at.dataDir}/secret.key`).delete();
  expect(await at.look("secret")).toMatchObject({ code: 1, status: "failed", advice: expect.stringContaining("backup") });
  expect(await at.look("secret", { POSTHOUSE_SECRET: "0123456789abcdef" })).toMatchObject({ code: 0, status: "ok" });
});

test("a damaged page of the database is found", async () => {
  await using at = await setup();
  const raw = new Database(at.database);
  raw.run("CREATE TABLE filler AS SELECT randomblob(100000) AS bytes");
  raw.run("PRAGMA wal_checkpoint(TRUNCATE)");
  raw.close();
  const bytes = readFileSync(at.database);
  // Well within the filler: the last page may be the schema's own.
  bytes.fill(0xff, bytes.length - 49_152, bytes.length - 40_960);
  writeFileSync(at.database, bytes);
  const { code, status, advice } = await at.look("integrity");
  expect({ code, status }).toEqual({ code: 1, status: "failed" });
  expect(advice).toContain("restore a backup");
});

test("a file that is no database is told as such", async () => {
  await using at = await setup();
  writeFileSync(at.database, "not a database".repeat(1000));
  expect(await at.look("database")).toMatchObject({ code: 1, status: "failed" });
});

test("a database of a newer executable fails with what to do", async () => {
  await using at = await setup();
  using raw = new Database(at.database);
  raw.run("INSERT INTO migrations (number, name, applied_at) VALUES (?, 'later', 0)", [schemaVersion + 1]);
  const { code, found, advice } = await at.look("database");
  expect(code).toBe(1);
  expect(found).toContain(`this executable knows up to ${schemaVersion}`);
  expect(advice).toContain("run the newer posthouse");
});

test("an unreachable Bot API server fails, and the clock is then not compared", async () => {
  await using at = await setup();
  await at.telegram.stop(true);
  expect(await at.look("telegram")).toMatchObject({ code: 1, status: "failed", found: expect.stringContaining("can't be reached") });
  expect(await at.look("clock")).toMatchObject({ status: "ok", found: expect.stringContaining("nothing to compare") });
});

test("a clock that is off from the Bot API server's, or in no plausible year, fails", () => {
  const now = systemClock.now();
  expect(checkClock(now, now - 3_000)).toMatchObject({ status: "ok", found: "3 s ahead of the Bot API server" });
  expect(checkClock(now, now + 90_000)).toMatchObject({ status: "failed", found: "90 s behind the Bot API server" });
  expect(checkClock(0, null)).toMatchObject({ status: "failed", found: "the year is 1970" });
});

test("a port that another program has fails, one where posthouse answers passes", async () => {
  await using at = await setup();
  await using other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  other.on("connection", (socket) => socket.destroy());
  expect(await at.look("port", { PORT: String(port) })).toMatchObject({
    code: 1,
    status: "failed",
    found: expect.stringContaining("another program"),
  });

  const own = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("{}", { headers: { "x-request-id": "req_1" } }) });
  expect(await at.look("port", { PORT: String(own.port) })).toMatchObject({
    code: 0,
    status: "ok",
    found: expect.stringContaining("posthouse answers"),
  });
  await own.stop(true);
});

test("an address that is not this machine's fails", async () => {
  await using at = await setup();
  // 192.0.2.0/24 is nobody's: https://www.rfc-editor.org/rfc/rfc5737
  expect(await at.look("port", { HOST: "192.0.2.1" })).toMatchObject({
    code: 1,
    status: "failed",
    advice: expect.stringContaining("HOST"),
  });
});

test("a certificate is checked with its key", async () => {
  await using at = await setup();
  const files = { TLS_CERT_FILE: `${at.dataDir}/cert.pem`, TLS_KEY_FILE: `${at.dataDir}/key.pem` };
  expect(await at.look("certificate", files)).toMatchObject({ code: 1, status: "failed" });
  writeFileSync(files.TLS_CERT_FILE, certificatePem);
  writeFileSync(files.TLS_KEY_FILE, otherKeyPem);
  expect(await at.look("certificate", files)).toMatchObject({ code: 1, found: expect.stringContaining("does not belong") });
  writeFileSync(files.TLS_KEY_FILE, certificateKeyPem);
  expect(await at.look("certificate", files)).toMatchObject({ code: 0, status: "ok", found: expect.stringContaining("2120") });
});
