import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { renderUnit } from "#src/commands/service-unit.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { runCommand } from "#test/support/terminal.ts";

const printed = ["service", "print", "--executable", "/usr/bin/env"];

test("the unit serves from a folder of its own, as a user of its own, and stops for good on wrong settings", async () => {
  const { code, out, err } = await runCommand(printed);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const lines = out.split("\n");
  for (const line of [
    "ExecStart=/usr/bin/env serve",
    "Environment=DATA_DIR=/var/lib/posthouse LOG_FORMAT=json",
    "DynamicUser=yes",
    "StateDirectory=posthouse",
    "RestartPreventExitStatus=2",
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "CapabilityBoundingSet=",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "SystemCallFilter=@system-service",
  ])
    expect(lines).toContain(line);
});

test("the unit lets the JavaScript engine compile", async () => {
  expect((await runCommand(printed)).out).not.toContain("MemoryDenyWriteExecute");
});

// Where systemd is not installed the lines above are what is checked; CI installs it and runs the same two commands.
if (Bun.which("systemd-analyze") !== null) {
  test("systemd finds no fault in the unit, and an exposure under 3.0", async () => {
    using folder = tempFolder();
    const unit = `${folder.path}/posthouse.service`;
    writeFileSync(unit, (await runCommand(printed)).out);
    const verify = Bun.spawnSync(["systemd-analyze", "verify", unit], { stdout: "pipe", stderr: "pipe" });
    expect({ code: verify.exitCode, text: verify.stdout.toString() + verify.stderr.toString() }).toEqual({ code: 0, text: "" });
    const security = Bun.spawnSync(["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", unit]);
    expect({ code: security.exitCode, text: security.stderr.toString() }).toEqual({ code: 0, text: "" });
  });
}

test("the path of the executable is absolute, and quoted where systemd would read it otherwise", async () => {
  expect((await runCommand(["service", "print", "--executable", "posthouse"])).code).toBe(2);
  expect((await runCommand(["service", "print", "--executable", "/a\nExecStartPre=/b"])).code).toBe(2);
  expect(renderUnit('/opt/my "post" 100%/$x')).toContain('ExecStart="/opt/my \\"post\\" 100%%/$$x" serve\n');
});

function setup() {
  const folder = tempFolder();
  // Not below a folder that the service can't see, as temporary ones are.
  return { unit: `${folder.path}/posthouse.service`, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

const install = (unit: string, ...flags: string[]) =>
  runCommand(["service", "install", "--executable", "/usr/bin/env", "--unit", unit, ...flags]);

test("install writes the unit and says what to run next", async () => {
  using at = setup();
  const { code, out, err } = await install(at.unit);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(readFileSync(at.unit, "utf8")).toBe(renderUnit("/usr/bin/env"));
  expect(statSync(at.unit).mode & 0o777).toBe(0o644);
  for (const next of ["systemctl daemon-reload", "systemctl enable --now posthouse", "/etc/posthouse.env"]) expect(out).toContain(next);
});

test("install --dry-run shows the unit and writes nothing", async () => {
  using at = setup();
  const { code, out } = await install(at.unit, "--dry-run");
  expect(code).toBe(0);
  expect(out).toBe(renderUnit("/usr/bin/env"));
  expect(existsSync(at.unit)).toBe(false);
});

test("install leaves a unit that somebody changed as it is, until it is forced", async () => {
  using at = setup();
  expect((await install(at.unit)).code).toBe(0);
  expect((await install(at.unit)).code).toBe(0);
  writeFileSync(at.unit, "[Service]\n");
  const refused = await install(at.unit);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain("--force");
  expect(readFileSync(at.unit, "utf8")).toBe("[Service]\n");
  expect((await install(at.unit, "--force")).code).toBe(0);
  expect(readFileSync(at.unit, "utf8")).toBe(renderUnit("/usr/bin/env"));
});

test("install refuses an executable that the service would not find", async () => {
  using at = setup();
  const missing = await runCommand(["service", "install", "--executable", "/opt/missing/posthouse", "--unit", at.unit]);
  expect(missing).toMatchObject({ code: 1, out: "" });
  expect(missing.err).toContain("there is no executable /opt/missing/posthouse");
  const hidden = `${at.unit}.sh`;
  writeFileSync(hidden, "");
  chmodSync(hidden, 0o755);
  const home = await runCommand(["service", "install", "--executable", "/home/ann/posthouse", "--unit", at.unit]);
  expect(home.err).toContain("install -m 0755 /home/ann/posthouse /usr/local/bin/posthouse");
  expect(existsSync(at.unit)).toBe(false);
});
