import { connectSignals } from "#db/postgres/signals.ts";
import type { Component } from "#src/core/lifecycle.ts";
import type { Log } from "#src/core/log.ts";
import type { Config } from "./config.ts";
import { touchWake, watchWake } from "./wake.ts";

/** How programs on the same data wake one another: a file beside SQLite, NOTIFY on PostgreSQL. */
export interface Bell {
  /** There is something new for whoever serves. */
  ring(): void;
  /** There are new events, for the other copies that serve; on SQLite there are none. */
  tellCopies(): void;
  /** Whether no other process serves these data: then what is leased belongs to the dead. To be asked once, by whoever serves. */
  amSole(): Promise<boolean>;
  /**
   * Hears the others.
   * @param onRing there may be something new anywhere
   * @param onEvents there are new events, and nothing else
   */
  listen(onRing: () => void, onEvents: () => void): Component;
  /** A ring that is under way still goes out. */
  close(): Promise<void>;
}

/** @param self unique for this process */
export function createBell({ database_url, data_dir }: Pick<Config, "database_url" | "data_dir">, self: string, log: Log): Bell {
  if (database_url.startsWith("sqlite:"))
    // The data folder's lock lets one process serve.
    return {
      ring: () => touchWake(data_dir),
      tellCopies: () => {},
      amSole: () => Promise.resolve(true),
      listen: (onRing) => watchWake(data_dir, onRing, log),
      close: () => Promise.resolve(),
    };
  const signals = connectSignals(database_url, self, log);
  return {
    ring: signals.ring.send,
    tellCopies: signals.events.send,
    amSole: signals.announce,
    listen: (onRing, onEvents) => ({
      name: "bell",
      async start() {
        await signals.ring.listen(onRing);
        await signals.events.listen(onEvents);
      },
      stop: () => Promise.resolve(),
    }),
    close: signals.close,
  };
}
