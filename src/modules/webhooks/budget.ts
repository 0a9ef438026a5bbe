/** Attempts under way to all endpoints together: each has a connection, and a process may have only so many files open. */
const TOTAL_MAX = 1_024;
/** Everybody may have so many, whatever the others do. */
const OWN = 2;

interface Spender {
  inFlight(): number;
  pump(): void;
}

/** Shares out how many attempts may be under way, so that those who wait for slow endpoints leave room for the rest. */
export interface Budget {
  /** @returns false when there is none left; the spender hears when there is */
  take(spender: Spender): boolean;
  giveBack(): void;
}

export function createBudget(total = TOTAL_MAX): Budget {
  let taken = 0;
  const waiting = new Set<Spender>();
  return {
    take(spender) {
      if (taken >= total && spender.inFlight() >= OWN) {
        waiting.add(spender);
        return false;
      }
      taken++;
      return true;
    },
    giveBack() {
      taken--;
      // Whoever has nothing to do by now leaves it to the next.
      for (const next of waiting) {
        if (taken >= total) return;
        waiting.delete(next);
        next.pump();
      }
    },
  };
}
