import type { Clock } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import type { Precondition } from "#src/core/etag.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { combine, separate, type Snapshots, snapshotsOf } from "./combine.ts";
import { createContactFields, type FieldSource, keepKnown, type KnownFields, NO_VALUES } from "./fields.ts";
import { identities } from "./identity.ts";
import type { Contact, MergeMember } from "./model.ts";
import { presentContact, wordsOfContact } from "./present.ts";
import type { ContactRow, ContactStore } from "./store.ts";

interface Needs {
  store: ContactStore;
  clock: Clock;
  fields: FieldSource;
}

/** Two contacts after a change of both, and as they were. */
export interface Pair {
  contact: Contact;
  other: Contact;
  before: Contact;
  otherBefore: Contact;
}

/** Makes one contact of two and two of one: rows and all that is looked up by. Who asks has locked both. */
export function createContactMerging({ store, clock, fields: source }: Needs) {
  const custom = createContactFields(source);

  /** Brings a contact's row, and every index of it, from what it was to what it is. */
  async function rewrite(tx: Tx, before: ContactRow, after: ContactRow, known: KnownFields): Promise<void> {
    store.update(tx, after);
    const [had, has] = [foundBy(before), foundBy(after)];
    if (had.words.join(" ") !== has.words.join(" ")) store.keepWords(tx, after, has.words);
    for (const tag of has.tags.difference(had.tags)) store.addTag(tx, after, tag);
    for (const tag of had.tags.difference(has.tags)) store.removeTag(tx, after, tag);
    if (had.fields !== has.fields) custom.index(tx, after, had.fields, has.fields, known);
    if (had.count !== has.count) await store.count(tx, after.env_id, "contacts", has.count - had.count);
  }

  return {
    /** By id or number, also one that is deleted. */
    row: (tx: Tx, env_id: number, ref: string): Maybe<ContactRow | undefined> =>
      ref.startsWith("ct_") ? store.byId(tx, env_id, ref) : store.byNumber(tx, env_id, Number(ref)),

    /** By their ids, in the same order; on PostgreSQL both rows and all their identities wait for this transaction. */
    async lockBoth(tx: Tx, env_id: number, ids: readonly [string, string]): Promise<[ContactRow | undefined, ContactRow | undefined]> {
      const seen = [await store.byId(tx, env_id, ids[0]), await store.byId(tx, env_id, ids[1])];
      await store.lockIdentities(tx, env_id, ...seen.filter((row) => row !== undefined));
      const rows = new Map<string, ContactRow | undefined>();
      for (const row of seen.toSorted((a, b) => ((a?.id ?? "") < (b?.id ?? "") ? -1 : 1)))
        if (row !== undefined) rows.set(row.id, await store.hold(tx, row));
      const locked = [rows.get(ids[0]), rows.get(ids[1])] as [ContactRow | undefined, ContactRow | undefined];
      // Who changed one meanwhile may have given it others.
      await store.lockIdentities(tx, env_id, ...locked.filter((row) => row !== undefined));
      return locked;
    },

    /**
     * Gives the survivor what it lacks of the other, and takes the other out of every list.
     * @param check is told the survivor before anything is written
     * @throws AppError `conflict` for too many tags or too much metadata; what `check` throws
     */
    async combine(
      tx: Tx,
      [survivor, other]: readonly [ContactRow, ContactRow],
      prefer: ReadonlySet<MergeMember>,
      check: Precondition,
    ): Promise<Pair & { snapshots: Snapshots }> {
      const known = await custom.knownFor(tx, survivor.env_id, [survivor, other]);
      const before = presentContact(survivor, known);
      check(before);
      const now = clock.now(survivor.env_id);
      const both = combine(survivor, other, prefer);
      const made = { ...both, fields: keepKnown(both.fields, known), updated_at: now };
      const gone = { ...other, deleted_at: now, updated_at: now };
      // First of all the identities become free.
      await rewrite(tx, other, gone, known);
      await rewrite(tx, survivor, made, known);
      const shown = presentContact(other, known);
      return { contact: presentContact(made, known), other: shown, before, otherBefore: shown, snapshots: snapshotsOf(survivor, made) };
    },

    /**
     * Takes back what the survivor got and still has, and puts the other back into every list.
     * @throws AppError `conflict` when a third contact has an identity that would go back
     */
    async separate(tx: Tx, [survivor, other]: readonly [ContactRow, ContactRow], snapshots: Snapshots): Promise<Pair> {
      const { env_id } = survivor;
      const known = await custom.knownFor(tx, env_id, [survivor, other, snapshots.before]);
      const now = clock.now(env_id);
      const apart = separate(survivor, snapshots, other);
      const restored = { ...apart, fields: keepKnown(apart.fields, known), updated_at: now };
      const back = { ...other, fields: keepKnown(other.fields, known), deleted_at: null, updated_at: now };
      await store.lockIdentities(tx, env_id, restored, back);
      for (const row of [restored, back])
        for (const name of identities) {
          const value = row[name];
          const holder = value === null ? undefined : await store.byIdentity(tx, env_id, name, value);
          if (holder !== undefined && holder.id !== survivor.id) throw givenAway(name, holder.id);
        }
      await rewrite(tx, survivor, restored, known);
      await rewrite(tx, other, back, known);
      return {
        contact: presentContact(restored, known),
        other: presentContact(back, known),
        before: presentContact(survivor, known),
        otherBefore: presentContact(other, known),
      };
    },
  };
}

/** What a contact is found by; one that is deleted by nothing. */
function foundBy(row: ContactRow): { words: string[]; tags: Set<string>; fields: string; count: number } {
  if (row.deleted_at !== null) return { words: [], tags: new Set(), fields: NO_VALUES, count: 0 };
  return { words: wordsOfContact(row), tags: new Set(JSON.parse(row.tags) as string[]), fields: row.fields, count: 1 };
}

function givenAway(name: string, id: string): AppError {
  return new AppError("conflict", `Another contact, ${id}, has by now the ${name} that would go back.`, { members: { contact_ids: [id] } });
}
