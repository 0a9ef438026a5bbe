import { Cron } from "croner";
import type { Component } from "#src/core/lifecycle.ts";
import type { Log } from "#src/core/log.ts";

/** A time table's line: what it says is done must only enqueue, since a tick that is missed is not repeated. */
export interface Tick {
  /** croner's syntax, in UTC: https://croner.56k.guru/usage/pattern/ */
  pattern: string;
  enqueue(): Promise<void>;
}

/** Runs the time table. The truth about what is due stays in the database. */
export function createTicks(ticks: readonly Tick[], log: Log): Component {
  let running: Cron[] = [];
  return {
    name: "ticks",
    async start() {
      if (running.length > 0) return;
      running = ticks.map(
        ({ pattern, enqueue }) =>
          new Cron(
            pattern,
            { timezone: "UTC", unref: true, catch: (error: unknown) => log.error("a tick failed", { pattern, error }) },
            enqueue,
          ),
      );
    },
    async stop() {
      for (const cron of running) cron.stop();
      running = [];
    },
  };
}
