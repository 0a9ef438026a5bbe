/** A column after a change was taken back from it. */
interface Back {
  /** JSON, as a row keeps it. */
  json: string;
  /** Whether something was left as somebody has made it since. */
  left: boolean;
}

type Change = readonly [before: string, after: string];

/** Tags without a change of them: those that it added go, those that it took away come back. */
export function tagsBack(now: string, change: Change): Back {
  const [before, after, tags] = [...change, now].map((json) => JSON.parse(json) as string[]) as [string[], string[], string[]];
  const added = after.filter((tag) => !before.includes(tag));
  const removed = before.filter((tag) => !after.includes(tag));
  const back = [...tags.filter((tag) => !added.includes(tag)), ...removed.filter((tag) => !tags.includes(tag))];
  const left = added.some((tag) => !tags.includes(tag)) || removed.some((tag) => tags.includes(tag));
  // In their old order where nothing else has come or gone.
  const isAsBefore = back.length === before.length && back.every((tag) => before.includes(tag));
  return { json: isAsBefore ? change[0] : JSON.stringify(back), left };
}

/** An object without a change of it: each entry that still is as the change left it is as it was. */
export function entriesBack(now: string, change: Change): Back {
  if (now === change[1]) return { json: change[0], left: false };
  const [before, after, entries] = [...change, now].map(entriesOf) as [Entries, Entries, Entries];
  let left = false;
  const back = new Map(entries);
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    if (isSame(before.get(key), after.get(key))) continue;
    if (!isSame(entries.get(key), after.get(key))) left ||= !isSame(entries.get(key), before.get(key));
    else if (before.has(key)) back.set(key, before.get(key));
    else back.delete(key);
  }
  return { json: JSON.stringify(Object.fromEntries(back)), left };
}

type Entries = Map<string, unknown>;

/** Of any name, `constructor` too. */
export function entriesOf(json: string): Entries {
  return new Map(Object.entries(JSON.parse(json) as object));
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
