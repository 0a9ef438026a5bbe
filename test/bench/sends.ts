import { join } from "node:path";
import { prepareData } from "./data.ts";
import type { LoadPlan, LoadResult } from "./load.ts";
import { dataFolder, ourProgram, startPosthouse } from "./posthouse.ts";
import { answers, freePort, runScript, scriptPath, start, until } from "./process.ts";
import type { Figure } from "./report.ts";
import { alternate } from "./rounds.ts";

const ROUNDS = 5;
const PLAN = { connections: 64, warmUpSeconds: 1, seconds: 4 };

/** Sends a second as they are acknowledged, against the floor. Both keep what they take queued. */
export async function sends(): Promise<Figure> {
  using ourFolder = dataFolder();
  using floorFolder = dataFolder();
  const { key } = await prepareData(ourFolder.env, { paused: true });
  await using ours = await startPosthouse(ourFolder);
  await using floor = await startFloor(floorFolder.path, (await prepareData(floorFolder.env)).env_id);
  const rates = await alternate(
    ROUNDS,
    () => loadRate({ ...PLAN, port: ours.port, key }),
    () => loadRate({ ...PLAN, port: floor.port, key }),
  );
  const note = `medians of ${ROUNDS} rounds in turn, ${ourProgram}, the account paused so that nothing is delivered meanwhile`;
  return { name: "durable sends", ...rates, against: "the floor", unit: "a second", target: { atLeast: 0.7 }, note };
}

/** @throws Error when a send was refused: then it is not sends that were counted */
export async function loadRate(plan: LoadPlan): Promise<number> {
  const { rate, refused } = await runScript<LoadResult>("load.ts", plan);
  if (refused > 0) throw new Error(`${refused} sends were refused`);
  return rate;
}

async function startFloor(folder: string, env_id: number) {
  const port = await freePort();
  const plan = { path: join(folder, "posthouse.db"), port, env_id };
  const child = start([process.execPath, scriptPath("floor.ts"), JSON.stringify(plan)], { logFile: join(folder, "log") });
  await until("a start of the floor", () => answers(`http://127.0.0.1:${port}/`), 20);
  return { ...child, port };
}
