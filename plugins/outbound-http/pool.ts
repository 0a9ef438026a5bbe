import type { Clock } from "#src/core/clock.ts";
import type { Line } from "./line.ts";

/** The connections that wait for another request. */
export interface Pool {
  /** The one that was used last: the others may end. */
  take(origin: string): Line | undefined;
  /** Keeps it for another request, or closes it. */
  give(origin: string, line: Line): void;
  /** Closes all, and from now on whatever is given. */
  close(): void;
}

const IDLE_MS = 15_000;
const SWEEP_MS = 5_000;
/** A server closes when it said it would; a request must not be on its way then. */
const SAFETY_MS = 1_000;
const ORIGIN_MAX = 64;
const ALL_MAX = 512;

export function createPool(clock: Clock): Pool {
  const idle = new Map<string, Line[]>();
  let count = 0;
  let isClosed = false;
  let cancelSweep: (() => void) | null = null;

  function remove(origin: string, line: Line): void {
    const lines = idle.get(origin);
    const at = lines?.lastIndexOf(line) ?? -1;
    if (lines === undefined || at === -1) return;
    lines.splice(at, 1);
    count--;
    line.onClosed = null;
    if (lines.length === 0) idle.delete(origin);
  }

  /** Closes the one that has waited longest for the origin that has had some waiting for longest. */
  function makeRoom(): void {
    idle.values().next().value?.[0]?.close();
  }

  function sweep(): void {
    cancelSweep = null;
    const now = clock.now();
    for (const lines of [...idle.values()]) for (const line of [...lines]) if (isStale(line, now)) line.close();
    if (count > 0) sweepLater();
  }

  function sweepLater(): void {
    cancelSweep ??= clock.at(clock.now() + SWEEP_MS, sweep);
  }

  return {
    take(origin) {
      for (let line = idle.get(origin)?.at(-1); line !== undefined; line = idle.get(origin)?.at(-1)) {
        remove(origin, line);
        if (!isStale(line, clock.now())) return line;
        line.close();
      }
      return undefined;
    },
    give(origin, line) {
      if (isClosed || !line.isReusable || (idle.get(origin)?.length ?? 0) >= ORIGIN_MAX) return line.close();
      if (count >= ALL_MAX) makeRoom();
      let lines = idle.get(origin);
      if (lines === undefined) idle.set(origin, (lines = []));
      line.idleSince = clock.now();
      line.onClosed = () => remove(origin, line);
      lines.push(line);
      count++;
      sweepLater();
    },
    close() {
      isClosed = true;
      cancelSweep?.();
      for (const lines of [...idle.values()]) for (const line of [...lines]) line.close();
    },
  };
}

function isStale(line: Line, now: number): boolean {
  const { keptForMs } = line.answer;
  return now - line.idleSince >= Math.min(IDLE_MS, keptForMs === null ? IDLE_MS : keptForMs - SAFETY_MS);
}
