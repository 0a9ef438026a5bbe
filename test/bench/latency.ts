import { prepareData } from "./data.ts";
import { dataFolder, ourProgram, startPosthouse } from "./posthouse.ts";
import { runScript } from "./process.ts";
import type { Figure } from "./report.ts";
import { alternate } from "./rounds.ts";
import type { SteadyPlan, SteadyResult } from "./steady-load.ts";

const MESSAGES = 1_000_000;
const ACCOUNTS = 100;
const ROUNDS = 3;
export const PLAN = { rate: 200, connections: 64, warmUpSeconds: 1, seconds: 10 };

/** p99 of sends at a fixed rate while a long queue is being sent, against p99 without a queue. */
export async function latency(): Promise<Figure> {
  using busyFolder = dataFolder();
  using idleFolder = dataFolder();
  const busyKey = (await prepareData(busyFolder.env, { queue: { messages: MESSAGES, accounts: ACCOUNTS } })).key;
  const idleKey = (await prepareData(idleFolder.env)).key;
  await using idle = await startPosthouse(idleFolder);
  await using busy = await startPosthouse(busyFolder);
  // While the idle one is measured, the other holds its breath: they share the machine.
  process.kill(busy.pid, "SIGSTOP");
  try {
    const times = await alternate(
      ROUNDS,
      async () => {
        process.kill(busy.pid, "SIGCONT");
        const p99 = await p99Of({ ...PLAN, port: busy.port, key: busyKey });
        process.kill(busy.pid, "SIGSTOP");
        return p99;
      },
      () => p99Of({ ...PLAN, port: idle.port, key: idleKey }),
    );
    const note = `p99 at ${PLAN.rate} sends a second, medians of ${ROUNDS} rounds in turn, ${ourProgram}`;
    return { name: "p99 while 1,000,000 drain", ...times, against: "without a queue", unit: "ms", target: { under: 3 }, note };
  } finally {
    process.kill(busy.pid, "SIGCONT");
  }
}

/** @throws Error when a send was refused */
export async function p99Of(plan: SteadyPlan): Promise<number> {
  const { p99, refused } = await runScript<SteadyResult>("steady-load.ts", plan);
  if (refused > 0) throw new Error(`${refused} sends were refused`);
  return p99;
}
