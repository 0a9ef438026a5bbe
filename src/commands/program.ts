import { type Command, CommanderError } from "commander";
import { AppError } from "#src/core/errors.ts";
import { ConfigError } from "#src/config.ts";
import { createGroup, ExitError, type Terminal } from "./command.ts";
import { backupCommand } from "./backup.ts";
import { contactsCommand } from "./contacts.ts";
import { deliveriesCommand } from "./deliveries.ts";
import { doctorCommand } from "./doctor.ts";
import { environmentsCommand } from "./environments.ts";
import { eventsCommand } from "./events.ts";
import { healthCommand } from "./health.ts";
import { keysCommand } from "./keys.ts";
import { listenCommand } from "./listen.ts";
import { migrateCommand } from "./migrate.ts";
import { sendCommand } from "./send.ts";
import { serveCommand } from "./serve.ts";
import { serviceCommand } from "./service.ts";
import { versionCommand, versionLine } from "./version.ts";
import { workspacesCommand } from "./workspaces.ts";

const commands = [
  serveCommand,
  workspacesCommand,
  environmentsCommand,
  keysCommand,
  sendCommand,
  contactsCommand,
  eventsCommand,
  deliveriesCommand,
  listenCommand,
  migrateCommand,
  backupCommand,
  serviceCommand,
  doctorCommand,
  versionCommand,
];

/**
 * Runs what the command line asks for.
 * @param argv without the executable's own name
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage
 */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await createProgram(terminal).parseAsync(withDefaultCommand(argv), { from: "user" });
    return 0;
  } catch (error) {
    return explain(error, terminal);
  }
}

export function createProgram(terminal: Terminal): Command {
  const texts = {
    summary: "Posthouse: your own Telegram CRM and message relay in one executable.",
    details: "Without a command it serves. Settings come from the environment; `posthouse serve --help` lists them.",
    examples: ["", "serve --port 8080", "keys create --name ci --scopes write:messages --test", "doctor"],
  };
  return createGroup(
    terminal,
    "posthouse",
    texts,
    commands.map((create) => create(terminal)),
  )
    .addCommand(healthCommand(terminal), { hidden: true })
    .usage("[command] [options]")
    .version(versionLine, "-V, --version", "show the version");
}

/** `posthouse` and `posthouse --port 80` serve; an unknown word stays an error that names what it resembles. */
function withDefaultCommand(argv: readonly string[]): string[] {
  const [first] = argv;
  const own = ["-h", "--help", "-V", "--version"];
  return first === undefined || (first.startsWith("-") && !own.includes(first)) ? ["serve", ...argv] : [...argv];
}

function explain(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof ConfigError) {
    terminal.err(`${error.message}\n`);
    return 2;
  }
  if (error instanceof ExitError) {
    if (error.message !== "") terminal.err(`${error.message}\n`);
    return error.code;
  }
  terminal.err(`${describe(error)}\n`);
  return 1;
}

function describe(error: unknown): string {
  if (error instanceof AppError) {
    const details = error.details?.map(({ field, error }) => `\n  ${field}: ${error}`) ?? [];
    return error.message + details.join("");
  }
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && String(error.code).startsWith("SQLITE_"))
    return `the database can't be used: ${error.message}; posthouse doctor says more`;
  return isMistake(error) ? (error.stack ?? error.message) : error.message;
}

/** An error of the program itself, where the place counts; other messages are written for people. */
function isMistake(error: Error): boolean {
  return [TypeError, ReferenceError, RangeError, SyntaxError].some((kind) => error instanceof kind);
}
