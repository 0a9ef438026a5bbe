import { processTerminal } from "./commands/process-terminal.ts";
import { run } from "./commands/program.ts";

process.exitCode = await run(process.argv.slice(2), processTerminal(process));
