import { createServer } from "node:net";
import { openSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

export interface Child extends AsyncDisposable {
  readonly pid: number;
}

interface StartOptions {
  env?: Record<string, string>;
  /** Where its output goes; to nowhere without it. */
  logFile?: string;
  cwd?: string;
  /** How it is asked to stop. */
  signal?: NodeJS.Signals;
}

/** Starts a process that ends with the scope: `await using server = start([…])`. */
export function start(command: string[], { env = {}, logFile, cwd, signal = "SIGTERM" }: StartOptions = {}): Child {
  const output = logFile === undefined ? "ignore" : openSync(logFile, "a");
  const child = Bun.spawn(command, {
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: output,
    stderr: output,
    ...(cwd === undefined ? {} : { cwd }),
  });
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill(signal);
      await child.exited;
    },
  };
}

/** Runs a program to its end. @returns what it printed @throws Error with what it said when it fails */
export async function run(command: string[], options: { cwd?: string } = {}): Promise<string> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", ...options });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed:\n${output}${errors}`);
  return output;
}

/** Runs one of the files beside this one in a process of its own, and reads the JSON that it prints. */
export async function runScript<Result>(name: string, argument: object): Promise<Result> {
  return JSON.parse(await run([process.execPath, scriptPath(name), JSON.stringify(argument)])) as Result;
}

export function scriptPath(name: string): string {
  return `${import.meta.dir}/${name}`;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

const ATTEMPTS_MAX = 600;

/** Repeats a question until it is answered with true. @throws Error after a minute */
export async function until(what: string, ask: () => Promise<boolean> | boolean, everyMs = 100): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (await ask()) return;
    await wait(everyMs);
  }
  throw new Error(`${what} did not happen in time`);
}

export async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
