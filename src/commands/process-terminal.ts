import type { Terminal } from "./command.ts";

/** The terminal, or whatever else this process was given for one. */
export function processTerminal(process: NodeJS.Process): Terminal {
  const { env, stdin, stdout, stderr, exit } = process;
  // A result that can't be written is a failure; when its reader has gone, there is nobody left to tell.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") stderr.write(`the result can't be written: ${error.message}\n`);
    exit(1);
  });
  // Where the log can't be written there is no place to say so, and what runs goes on.
  stderr.on("error", () => {});
  return {
    env,
    isTerminal: stderr.isTTY,
    isOutTerminal: stdout.isTTY,
    out: (text) => stdout.write(text),
    async drained() {
      if (stdout.writableNeedDrain) await new Promise((resolve) => stdout.once("drain", resolve));
    },
    input: () => stdin,
    onBreak(then) {
      const end = () => {
        then();
        exit(130);
      };
      process.once("SIGINT", end);
      return () => process.off("SIGINT", end);
    },
    err: (text) => stderr.write(text),
  };
}
