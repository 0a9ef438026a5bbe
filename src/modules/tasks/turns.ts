/** Does one thing at a time, in the order in which they were asked for. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * The steps of all tasks of a process take turns, and after each one the event loop goes round: the requests that came meanwhile
 * have queued their writes before the next step queues its own, so that none waits for more than one step.
 */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  const goRound = () => new Promise<void>((resolve) => setImmediate(resolve));
  return (work) => {
    const mine = last.then(work);
    last = mine.then(goRound, goRound);
    return mine;
  };
}
