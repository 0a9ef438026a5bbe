/** Lets tests wait for what happens inside the emulator, without looking again and again. */
export interface Changes {
  /** Something happened: conditions that are waited for are looked at. */
  notify(): void;
  /** @throws Error when the condition does not become true in time */
  waitFor(condition: () => boolean, timeoutMs?: number): Promise<void>;
}

interface Waiter {
  condition: () => boolean;
  resolve: () => void;
}

const WAIT_MS = 5_000;

/** @param onChange learns of each, too */
export function createChanges(onChange: () => void = () => {}): Changes {
  const waiters = new Set<Waiter>();
  return {
    notify() {
      for (const waiter of waiters) if (waiter.condition()) waiter.resolve();
      onChange();
    },
    async waitFor(condition, timeoutMs = WAIT_MS) {
      if (condition()) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter = { condition, resolve };
      const late = () => reject(new Error(`still not so after ${timeoutMs} ms: ${condition.toString()}`));
      const timer = setTimeout(late, timeoutMs);
      waiters.add(waiter);
      await promise.finally(() => {
        waiters.delete(waiter);
        clearTimeout(timer);
      });
    },
  };
}
