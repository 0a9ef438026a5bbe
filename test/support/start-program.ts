import { join } from "node:path";

/** Another process on a SQLite file: see other-program.ts for what it can do. */
export function startProgram(command: "hold" | "insert" | "acknowledge", path: string, prefix = "") {
  const program = Bun.spawn([process.execPath, join(import.meta.dir, "other-program.ts"), command, path, prefix], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = program.stdout.getReader();
  const decoder = new TextDecoder();
  let read = "";
  return {
    /** Resolves when it has said this many lines. */
    async said(lines: number): Promise<void> {
      while (read.split("\n").length <= lines) {
        const { value, done } = await output.read();
        if (done) throw new Error(`the program ended after: ${read}`);
        read += decoder.decode(value, { stream: true });
      }
    },
    /** Lets it end by itself. */
    async end(): Promise<void> {
      await program.stdin.end();
      await program.exited;
    },
    /** Ends it as kill -9 does. @returns every whole line that it has said */
    async kill(): Promise<string[]> {
      program.kill("SIGKILL");
      await program.exited;
      for (let part = await output.read(); !part.done; part = await output.read()) read += decoder.decode(part.value, { stream: true });
      return read.split("\n").slice(0, -1);
    },
  };
}
