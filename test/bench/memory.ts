import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { prepareData } from "./data.ts";
import { dataFolder, ourProgram, startPosthouse } from "./posthouse.ts";
import type { Figure } from "./report.ts";

const MESSAGES = 1_000_000;
const ACCOUNTS = 100;
const AFTER_SECONDS = 30;
/** Of the last seconds the highest counts. */
const SAMPLES = 5;

/** Resident memory half a minute after the start, with a long queue that is being sent and with nothing to do. */
export async function memory(): Promise<Figure> {
  using longFolder = dataFolder();
  using emptyFolder = dataFolder();
  await prepareData(longFolder.env, { queue: { messages: MESSAGES, accounts: ACCOUNTS } });
  await prepareData(emptyFolder.env);
  await using long = await startPosthouse(longFolder);
  await using empty = await startPosthouse(emptyFolder);
  await wait((AFTER_SECONDS - SAMPLES) * 1000);
  const highest = { ours: 0, theirs: 0 };
  for (let sample = 0; sample < SAMPLES; sample++) {
    await wait(1000);
    highest.ours = Math.max(highest.ours, residentMegabytes(long.pid));
    highest.theirs = Math.max(highest.theirs, residentMegabytes(empty.pid));
  }
  const note = `highest of the last ${SAMPLES} s before ${AFTER_SECONDS} s after the start, the queue being sent meanwhile, ${ourProgram}`;
  return { name: "memory, 1,000,000 queued", ...highest, against: "on an empty file", unit: "MB", target: { under: 1.5 }, note };
}

/** https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
export function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1024;
}
