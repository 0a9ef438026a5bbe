import { type EventFilter, isOfJob } from "./filter.ts";
import type { Listener } from "./stream-hub.ts";

/** Listeners that get the same: what is found, read and written for one of them is for all. */
export interface Group {
  filter: EventFilter;
  scopes: ReadonlySet<string>;
  /** Those that have everything up to the hub's place. */
  live: Set<Listener>;
  /** Listeners, live and behind. */
  size: number;
}

/** Finds who gets an event without asking every listener, or every filter. */
export interface Groups {
  /** The group of a filter, which is made where there is none. To be given back. */
  take(filter: EventFilter, scopes: ReadonlySet<string>): Group;
  giveBack(group: Group): void;
  /** Those that an event is for. */
  of(event: { type: string; subject: string }): Group[];
}

export function createGroups(): Groups {
  const groups = new Map<string, Group>();
  /** By subject where there is one, else by each of the types. */
  const index = new Map<string, Set<Group>>();

  const keyOf = ({ types, subject }: EventFilter, scopes: ReadonlySet<string>) =>
    // Of jobs some are hidden, by the scopes.
    JSON.stringify([types, subject, types.some((type) => isOfJob({ type })) ? [...scopes].toSorted() : null]);

  const entriesOf = ({ types, subject }: EventFilter) =>
    subject === undefined ? types.map((type) => `type ${type}`) : [`subject ${subject}`];

  return {
    take(filter, scopes) {
      const key = keyOf(filter, scopes);
      let group = groups.get(key);
      if (group === undefined) {
        group = { filter, scopes, live: new Set(), size: 0 };
        groups.set(key, group);
        for (const entry of entriesOf(filter)) index.set(entry, (index.get(entry) ?? new Set()).add(group));
      }
      group.size++;
      return group;
    },
    giveBack(group) {
      if (--group.size > 0) return;
      groups.delete(keyOf(group.filter, group.scopes));
      for (const entry of entriesOf(group.filter)) {
        const found = index.get(entry)!;
        found.delete(group);
        if (found.size === 0) index.delete(entry);
      }
    },
    of({ type, subject }) {
      const bySubject = [...(index.get(`subject ${subject}`) ?? [])].filter(({ filter }) => filter.types.some((one) => one === type));
      return [...bySubject, ...(index.get(`type ${type}`) ?? [])];
    },
  };
}
