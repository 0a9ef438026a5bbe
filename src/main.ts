import { keepHeapSmall } from "./heap.ts";

keepHeapSmall(process);

// Only now: reading and compiling all the rest is most of a start.
const [{ run }, { processTerminal }] = await Promise.all([import("./commands/program.ts"), import("./commands/process-terminal.ts")]);

process.exitCode = await run(process.argv.slice(2), processTerminal(process));
