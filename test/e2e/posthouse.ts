import { join } from "node:path";
import { executable } from "#test/support/executable.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { readOutput } from "./output.ts";

/** An address at which nobody listens, so that no test ever reaches Telegram. */
const NOBODY = "http://127.0.0.1:9";

export type Env = Record<string, string>;

export interface ServeOptions {
  /** An empty folder by default; one that is given stays when the server ends. */
  folder?: string;
  env?: Env;
  /** By default `serve`. */
  args?: readonly string[];
  /** What the executable is started by, such as a shell that limits it. */
  launcher?: readonly string[];
}

/** One line of the log. */
type LogEntry = Record<string, unknown> & { level: string; message: string };

/** A `posthouse serve` of its own, which ends with the scope. */
export interface Launched extends AsyncDisposable {
  readonly pid: number;
  /** The working directory; the data are in its `data`. */
  readonly folder: string;
  /** The key that a first start prints. */
  sandboxKey(): Promise<string>;
  /** What it printed so far. */
  out(): string;
  /** The lines that it logged so far, as they are. */
  log(): string[];
  /** Resolves with the first line that has this message, also when it was there before. */
  logged(message: string): Promise<LogEntry>;
  signal(signal: NodeJS.Signals): void;
  /** The exit code; 128 and the signal's number where a signal ended it. */
  exited: Promise<number>;
  /** Asks it to stop. @returns the exit code, once all that it wrote is read */
  stop(signal?: NodeJS.Signals): Promise<number>;
}

export interface Posthouse extends Launched {
  /** Where it listens. */
  readonly url: string;
}

/** How a program ended. */
export interface Ended {
  code: number;
  out: string;
  err: string;
}

export const dataOf = (folder: string) => join(folder, "data");
export const databaseOf = (folder: string) => join(folder, "data", "posthouse.db");

/** Nothing of the environment that runs the tests is a setting. */
function cleanEnv(folder: string, env: Env = {}): Env {
  return { PATH: process.env["PATH"] ?? "", HOME: folder, PORT: "0", TELEGRAM_API_ROOT: NOBODY, ...env };
}

/** Starts the compiled executable on a free port. */
export async function launchPosthouse({ folder, env, args = ["serve"], launcher = [] }: ServeOptions = {}): Promise<Launched> {
  const command = [...launcher, await executable(), ...args];
  const own = folder === undefined ? tempFolder() : null;
  const cwd = folder ?? own!.path;
  const child = Bun.spawn(command, { cwd, env: cleanEnv(cwd, env), stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, log] = [readOutput(child.stdout), readOutput(child.stderr)];

  async function end(signal: NodeJS.Signals): Promise<number> {
    child.kill(signal);
    const code = await child.exited;
    await Promise.all([out.ended, log.ended]);
    return code;
  }

  return {
    pid: child.pid,
    folder: cwd,
    sandboxKey: () => out.awaited("printing a sandbox key", (text) => /cs_test_\w+/.exec(text)?.[0]),
    out: out.text,
    log: () => linesOf(log.text()),
    logged: (message) => log.awaited(`logging "${message}"`, (text) => findEntry(text, message)),
    signal: (signal) => child.kill(signal),
    exited: child.exited,
    stop: (signal = "SIGTERM") => end(signal),
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
      own?.[Symbol.dispose]();
    },
  };
}

/**
 * Starts the compiled executable on a free port and waits until it serves.
 * @throws Error with what it logged when it ends instead
 */
export async function startPosthouse(options: ServeOptions = {}): Promise<Posthouse> {
  const launched = await launchPosthouse(options);
  try {
    const { url } = await launched.logged("serving");
    return { ...launched, url: String(url) };
  } catch (error) {
    await launched[Symbol.asyncDispose]();
    throw error;
  }
}

/** Runs a command to its end. @param env beside what every command gets @param launcher what it is started by */
export async function runPosthouse(
  folder: string,
  args: readonly string[],
  env: Env = {},
  launcher: readonly string[] = [],
): Promise<Ended> {
  return run([...launcher, await executable(), ...args], { cwd: folder, env: cleanEnv(folder, env) });
}

/** Runs any program to its end. */
export async function run(command: string[], options: { cwd: string; env?: Env }): Promise<Ended> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", ...options });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

/** What is not ended by a line feed is still being written. */
function linesOf(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

function findEntry(text: string, message: string): LogEntry | undefined {
  const needle = `"message":${JSON.stringify(message)}`;
  const line = linesOf(text).find((line) => line.includes(needle));
  return line === undefined ? undefined : (JSON.parse(line) as LogEntry);
}
