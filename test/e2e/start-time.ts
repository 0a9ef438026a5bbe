import { executable } from "#test/support/executable.ts";
import { startPosthouse } from "./posthouse.ts";

const STARTS = 5;

/** @returns milliseconds from the start of the process, on an empty folder, to the first answered request */
async function timeOneStart(): Promise<number> {
  const startedAt = performance.now();
  await using posthouse = await startPosthouse();
  const { ok } = await fetch(`${posthouse.url}/health`);
  const ms = performance.now() - startedAt;
  if (!ok) throw new Error("it does not answer");
  return ms;
}

/** @returns milliseconds of each of five starts, fastest first */
export async function timeStarts(): Promise<number[]> {
  await executable();
  const times: number[] = [];
  for (let start = 0; start < STARTS; start++) times.push(await timeOneStart());
  return times.toSorted((a, b) => a - b);
}

/** One line for people. */
export function describeStarts([best = 0, ...others]: number[]): string {
  return `serves ${best.toFixed(0)} ms after its start on an empty folder; the others ${others.map((ms) => ms.toFixed(0)).join(", ")} ms\n`;
}

if (import.meta.main) process.stdout.write(describeStarts(await timeStarts()));
