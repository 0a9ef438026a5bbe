import postgres from "postgres";
import type { Log } from "#src/core/log.ts";

const CHANNEL = "posthouse";
/** NOTIFY takes a lock over the whole server at commit: at most one in this time, whatever happens. */
const EVERY_MS = 20;

/** Lets the copies of the executable on one PostgreSQL wake one another. https://www.postgresql.org/docs/current/sql-notify.html */
export interface Signals {
  /** Soon, and once for many calls. A signal that is lost costs time, not work: leases are renewed every few seconds. */
  send(): void;
  /** @param onSignal also called after the connection was lost, since signals may have been missed */
  listen(onSignal: () => void): Promise<void>;
  close(): Promise<void>;
}

/** @param self unique for this process: its own signals are not told to it */
export function connectSignals(url: string, self: string, log: Log): Signals {
  const connection = postgres(url, { max: 1, onnotice: () => {} });
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    send() {
      timer ??= setTimeout(() => {
        timer = undefined;
        connection.notify(CHANNEL, self).catch((error: unknown) => log.warn("other copies could not be woken", { error }));
      }, EVERY_MS);
    },
    async listen(onSignal) {
      await connection.listen(
        CHANNEL,
        (sender) => {
          if (sender !== self) onSignal();
        },
        onSignal,
      );
    },
    async close() {
      clearTimeout(timer);
      if (timer !== undefined) await connection.notify(CHANNEL, self);
      await connection.end({ timeout: 2 });
    },
  };
}
