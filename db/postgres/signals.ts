import { SQL } from "bun";
import type { Log } from "#src/core/log.ts";

/** Of the first one, something may have changed anywhere; of the second, that there are new events. */
const CHANNELS = { ring: "posthouse", events: "posthouse_events" } as const;
/** NOTIFY takes a lock over the whole server at commit: at most one in this time, whatever happens. */
const EVERY_MS = 20;
/** The first half of every advisory lock of ours. */
const LOCK = 7421;

/** Lets the copies of the executable on one PostgreSQL wake one another. https://www.postgresql.org/docs/current/sql-notify.html */
export interface Signals {
  ring: Signal;
  /** Sent only once another copy was heard of. */
  events: Signal;
  /**
   * Makes this copy's presence known, for as long as its connection lasts.
   * @returns true when no other copy has done so: then whatever is still leased belongs to the dead
   */
  announce(): Promise<boolean>;
  close(): Promise<void>;
}

interface Signal {
  /** Soon, and once for many calls. A signal that is lost costs time, not work: leases are renewed every few seconds. */
  send(): void;
  /** @param onSignal also called after the connection was lost, since signals may have been missed */
  listen(onSignal: () => void): Promise<void>;
}

/** @param self unique for this process: its own signals are not told to it */
export function connectSignals(url: string, self: string, log: Log): Signals {
  let announced = false;
  let closing = false;
  /** Somebody else is there, or may be: until then there is nobody to tell of events. */
  let heardOthers = false;
  const connection = new SQL(url, {
    max: 1,
    onclose() {
      // The presence went with the connection.
      if (announced && !closing) announce().catch((error: unknown) => log.warn("this copy's presence could not be renewed", { error }));
    },
  });

  /** A lock of the session: shared by all who are there, so that only one who is alone could have it for itself. */
  async function announce(): Promise<boolean> {
    const [alone] = await connection<{ locked: boolean }[]>`select pg_try_advisory_lock(${LOCK}, 2) as locked`;
    await connection`select pg_advisory_lock_shared(${LOCK}, 2)`;
    if (alone?.locked === true) await connection`select pg_advisory_unlock(${LOCK}, 2)`;
    announced = true;
    const isAlone = alone?.locked === true;
    if (!isAlone) {
      heardOthers = true;
      ring.send();
    }
    return isAlone;
  }

  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  const signal = (channel: string): Signal => ({
    send() {
      if (timers.has(channel)) return;
      const notify = () => {
        timers.delete(channel);
        connection.notify(channel, self).catch((error: unknown) => log.warn("other copies could not be woken", { error }));
      };
      timers.set(channel, setTimeout(notify, EVERY_MS));
    },
    async listen(onSignal) {
      let isFirst = true;
      const hear = () => {
        heardOthers = true;
        onSignal();
      };
      // After a lost connection somebody may have come unheard.
      const subscribed = () => {
        if (isFirst) onSignal();
        else hear();
        isFirst = false;
      };
      await connection.listen(channel, (sender) => (sender === self ? undefined : hear()), subscribed);
    },
  });
  const ring = signal(CHANNELS.ring);
  const events = signal(CHANNELS.events);

  return {
    ring,
    events: { ...events, send: () => (heardOthers ? events.send() : undefined) },
    announce,
    async close() {
      closing = true;
      for (const timer of timers.values()) clearTimeout(timer);
      for (const channel of timers.keys()) await connection.notify(channel, self);
      await connection.close({ timeout: 2 });
    },
  };
}
