import { accessSync, chmodSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { type Command, Option } from "commander";
import { createCommand, createGroup, ExitError, type Terminal } from "./command.ts";
import { renderUnit, unitDataDir, unitEnvFile, unitPath, usualExecutable } from "./service-unit.ts";

interface Flags {
  executable: string;
  unit?: string;
  dryRun?: true;
  force?: true;
}

/** What ProtectHome and PrivateTmp hide from the service. */
const hiddenFolders = /^\/(home|root|run\/user|tmp|var\/tmp)\//;

export function serviceCommand(terminal: Terminal): Command {
  const texts = { summary: "Run Posthouse as a service of systemd.", examples: ["service print", "service install --dry-run"] };
  return createGroup(terminal, "service", texts, [printCommand(terminal), installCommand(terminal)]);
}

function printCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Print a hardened systemd unit.",
    examples: ["service print", "service print --executable /opt/posthouse/posthouse > posthouse.service"],
  };
  return createCommand(terminal, "print", texts)
    .addOption(executableOption())
    .action(({ executable }: Flags) => terminal.out(renderUnit(checkAbsolute(executable))));
}

function installCommand(terminal: Terminal): Command {
  const texts = {
    summary: `Write the unit to ${unitPath}, and say how to start it.`,
    details: "Copies no executable, starts nothing and leaves a unit that differs as it is.",
    examples: ["service install", "service install --dry-run", "service install --force"],
  };
  return createCommand(terminal, "install", texts)
    .addOption(executableOption())
    .addOption(new Option("--unit <file>", "where the unit goes").default(unitPath))
    .option("--dry-run", "show what would be written, and write nothing")
    .option("--force", "replace a unit that differs")
    .action((flags: Flags) => install(terminal, flags));
}

function install(terminal: Terminal, { executable, unit = unitPath, dryRun, force }: Flags): void {
  const text = renderUnit(checkAbsolute(executable));
  if (dryRun === true) {
    terminal.err(`would write ${unit}:\n`);
    terminal.out(text);
    return;
  }
  checkExecutable(executable);
  if (existsSync(unit) && readFileSync(unit, "utf8") !== text && force !== true)
    throw new ExitError(`${unit} is there already and differs: look at it, then replace it with --force`);
  try {
    writeFileSync(unit, text);
    chmodSync(unit, 0o644);
  } catch (error) {
    throw new ExitError(`${unit} can't be written: ${(error as Error).message}; run this command as root`);
  }
  terminal.out(`wrote ${unit}

Next:
  systemctl daemon-reload
  systemctl enable --now posthouse
  journalctl -u posthouse        # the first start prints a sandbox key here, once

Settings go into ${unitEnvFile}, a NAME=value in each line; then: systemctl restart posthouse
Other commands beside it, as root: DATA_DIR=${unitDataDir} ${executable} keys list
`);
}

function executableOption(): Option {
  return new Option("--executable <path>", "the executable that the service runs").default(
    isCompiled() ? process.execPath : usualExecutable,
  );
}

/** A compiled executable carries its sources in a file system of its own. */
function isCompiled(): boolean {
  return import.meta.path.startsWith("/$bunfs/");
}

function checkAbsolute(executable: string): string {
  if (isAbsolute(executable) && !/[\n\r]/.test(executable)) return executable;
  throw new ExitError("--executable must be an absolute path", 2);
}

function checkExecutable(executable: string): void {
  if (hiddenFolders.test(executable))
    throw new ExitError(
      `the service would not see ${executable}, since home folders and temporary files are hidden from it. Copy it first:
  install -m 0755 ${executable} ${usualExecutable}
  ${usualExecutable} service install`,
    );
  try {
    accessSync(executable, constants.X_OK);
  } catch {
    throw new ExitError(`there is no executable ${executable}: put it there, or name another one with --executable`);
  }
}
