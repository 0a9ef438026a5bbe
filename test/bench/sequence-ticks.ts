import { loadConfig } from "#src/config.ts";
import { silentLog } from "#src/core/log.ts";
import { openServices } from "#src/server.ts";
import { SECRET } from "./data.ts";
import { median } from "./rounds.ts";

/** How long the engine of sequences looks for what is due, where nothing is, by two databases in turn. */
export interface TicksPlan {
  /** The settings of one server, and of the other. */
  ours: Record<string, string>;
  theirs: Record<string, string>;
}

/** Medians, in microseconds. */
export interface TicksResult {
  ours: number;
  theirs: number;
}

const WARM_UP = 500;
const TICKS = 5_000;

async function open(env: Record<string, string>) {
  const { services, close } = await openServices(loadConfig({ env, flags: {}, isTerminal: false }), SECRET, silentLog);
  const { loop } = services.sequencing;
  await loop.start();
  return {
    close: () => loop.stop().then(close),
    async tick(): Promise<number> {
      const startedAt = performance.now();
      loop.wake();
      await loop.settled();
      return (performance.now() - startedAt) * 1000;
    },
  };
}

async function measure(plan: TicksPlan): Promise<TicksResult> {
  const [ours, theirs] = [await open(plan.ours), await open(plan.theirs)];
  const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let at = 0; at < WARM_UP + TICKS; at++) {
    const [one, other] = [await ours.tick(), await theirs.tick()];
    if (at < WARM_UP) continue;
    times.ours.push(one);
    times.theirs.push(other);
  }
  await Promise.all([ours.close(), theirs.close()]);
  return { ours: median(times.ours), theirs: median(times.theirs) };
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2]!) as TicksPlan)));
process.exit(0);
