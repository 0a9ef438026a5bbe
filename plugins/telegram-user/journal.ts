import type { Clock } from "#src/core/clock.ts";
import type { Inbound, Link } from "#src/modules/connections/model.ts";

/** What one update means, once whom it is about was looked up. */
export type Happening = () => readonly Inbound[] | Promise<readonly Inbound[]>;

/** Hands over, one after another, what is to be durable: nothing of it before what came earlier. */
export interface Journal {
  add(happening: Happening): void;
  /** Everything that was added so far is before this place. */
  reach(place: string): void;
  keepSession(session: string): void;
  /** The peers have something for the book. */
  touch(): void;
  /** Takes nothing more, and resolves once what is on its way is done. What was not on its way is lost, and not beyond the place. */
  seal(): Promise<void>;
}

interface Needs extends Pick<Link, "take" | "saveSession"> {
  /** Writes down whom the account has met meanwhile. */
  savePeers(): Promise<void>;
  clock: Clock;
  /** The link takes no more. */
  onBroken(): void;
  /** More is waiting than memory should hold. */
  onOverflow(): void;
}

/** In one transaction. */
const BATCH_MAX = 200;
const WAITING_MAX = 5_000;
const REPEAT_MS = 1_000;
/** What has no place behind it is told again after a crash: for so long one is waited for. */
const PLACE_MS_MAX = 500;

export function createJournal({ take, saveSession, savePeers, clock, onBroken, onOverflow }: Needs): Journal {
  let waiting: Happening[] = [];
  /** How many of those that wait are before it. */
  let place: { text: string; after: number } | null = null;
  let session: string | null = null;
  let hasPeers = false;
  let isLate = false;
  let cancelLate: (() => void) | null = null;
  let isSealed = false;
  let endPause: () => void = () => undefined;
  let pumping: Promise<void> | null = null;

  const goesOn = () => !isSealed;

  /** Only `take` waits by itself while the database refuses writes. */
  async function insist(act: () => Promise<void>): Promise<void> {
    while (goesOn()) {
      try {
        await act();
        return;
      } catch {
        const pause = Promise.withResolvers<void>();
        endPause = pause.resolve;
        const cancel = clock.at(clock.now() + REPEAT_MS, pause.resolve);
        await pause.promise.finally(cancel);
      }
    }
  }

  async function handOn(): Promise<void> {
    if (hasPeers) {
      hasPeers = false;
      await insist(savePeers);
    }
    if (session !== null) {
      const saved = session;
      session = null;
      await insist(() => saveSession(saved));
    }
    if (!isDue()) return;
    const count = Math.min(place === null ? waiting.length : place.after, BATCH_MAX);
    const reached = place !== null && place.after === count ? place.text : null;
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    if (waiting.length === 0) noLongerLate();
    if (place !== null) place = reached === null ? { ...place, after: place.after - count } : null;
    const happened: Inbound[] = [];
    for (const happening of batch) happened.push(...(await happening()));
    if (!isSealed && (happened.length > 0 || reached !== null)) await take(happened, reached);
  }

  const hasMore = () => goesOn() && (hasPeers || session !== null || isDue());
  const isDue = () => place !== null || waiting.length >= BATCH_MAX || (isLate && waiting.length > 0);

  function noLongerLate(): void {
    cancelLate?.();
    cancelLate = null;
    isLate = false;
  }

  function expectPlace(): void {
    cancelLate ??= clock.at(clock.now() + PLACE_MS_MAX, () => {
      isLate = true;
      start();
    });
  }

  async function pump(): Promise<void> {
    // What comes in one turn is handed on together.
    await new Promise((resolve) => setImmediate(resolve));
    while (hasMore()) await handOn();
  }

  function start(): void {
    if (isSealed || pumping !== null) return;
    pumping = pump()
      .catch(() => {
        isSealed = true;
        onBroken();
      })
      .finally(() => {
        pumping = null;
        if (hasMore()) start();
      });
  }

  return {
    add(happening) {
      if (isSealed) return;
      waiting.push(happening);
      if (waiting.length > WAITING_MAX) onOverflow();
      expectPlace();
      start();
    },
    reach(text) {
      place = { text, after: waiting.length };
      start();
    },
    keepSession(text) {
      session = text;
      start();
    },
    touch() {
      hasPeers = true;
      start();
    },
    async seal() {
      isSealed = true;
      noLongerLate();
      endPause();
      await pumping;
    },
  };
}
