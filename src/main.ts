import { run } from "./commands/program.ts";

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  isTerminal: process.stderr.isTTY,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
