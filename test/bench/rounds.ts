/** Measures two things in turn, so that whatever else the machine does meets both. @returns the medians */
export async function alternate(
  rounds: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<{ ours: number; theirs: number }> {
  const taken: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    taken.ours.push(await ours());
    taken.theirs.push(await theirs());
    progress(`round ${round + 1} of ${rounds}: ${taken.ours.at(-1)!.toFixed(1)} against ${taken.theirs.at(-1)!.toFixed(1)}`);
  }
  return { ours: median(taken.ours), theirs: median(taken.theirs) };
}

export function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  const middle = Math.floor(ordered.length / 2);
  return ordered.length % 2 === 1 ? ordered[middle]! : (ordered[middle - 1]! + ordered[middle]!) / 2;
}

/** What happens meanwhile goes to stderr: stdout holds the result alone. */
export function progress(line: string): void {
  process.stderr.write(`  ${line}\n`);
}
