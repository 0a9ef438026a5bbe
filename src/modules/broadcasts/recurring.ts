import { Cron } from "croner";
import { toTime } from "#src/core/clock.ts";
import type { Plan } from "./model.ts";

export type Recurring = Extract<NonNullable<Plan["schedule"]>, { cron: string }>;

const RUNS_SHOWN = 10;

const read = ({ cron, timezone = "UTC" }: Recurring) => new Cron(cron, { timezone, paused: true });

export const recurs = (schedule: Plan["schedule"]): schedule is Recurring => schedule !== null && "cron" in schedule;

export function isCron(schedule: Recurring): boolean {
  try {
    read(schedule);
    return true;
  } catch {
    return false;
  }
}

/** The first run after a moment (ms); null where there is none. */
export function nextRun(schedule: Recurring, after: number): number | null {
  return read(schedule).nextRun(toTime(after))?.getTime() ?? null;
}

/** The next ten runs, as a client sees them. */
export function nextRuns(schedule: Recurring, after: number): string[] {
  return read(schedule)
    .nextRuns(RUNS_SHOWN, toTime(after))
    .map((run) => toTime(run.getTime()));
}
