/** How long the messages of a load took from their arrival at the emulator to their row. */
export interface Spread {
  /** ms */
  p50: number;
  p99: number;
  max: number;
  /** Numbers of messages that came, each once, and those that came more than once. */
  once: number;
  again: number;
}

/**
 * @param rows with the texts `load <n> <milliseconds>` of a load, and when (ms) each was kept
 * @param from those that arrived before don't count
 */
export function spreadOf(rows: readonly { text: string; at: number }[], from: number): Spread {
  const taken: number[] = [];
  const numbers = new Set<number>();
  for (const { text, at } of rows) {
    const [, number, arrived] = text.split(" ").map(Number) as [number, number, number];
    if (arrived < from) continue;
    taken.push(at - arrived);
    numbers.add(number);
  }
  const ordered = taken.toSorted((a, b) => a - b);
  const at = (part: number) => ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * part))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1), once: numbers.size, again: taken.length - numbers.size };
}
