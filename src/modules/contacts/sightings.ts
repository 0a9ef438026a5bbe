import { unconditional } from "#src/core/etag.ts";
import type { Tx } from "#src/core/tx.ts";
import { usernameOf } from "./identity.ts";
import { createRecognition } from "./recognition.ts";
import type { ContactService, Writer } from "./service.ts";
import type { ContactRow, ContactStore } from "./store.ts";

interface Needs {
  store: ContactStore;
  patch: ContactService["patch"];
  upsert: ContactService["upsert"];
}

/** What Telegram tells of a person. */
interface Person {
  telegram_id: number;
  username: string | null;
  first_name: string | null;
  last_name: string | null;
}

interface Sighting {
  person: Person;
  /** Ms. */
  at: number;
}

/**
 * Usernames change hands on Telegram, ids never do: what it tells of an id is believed. The contact with the id gets the
 * username, and who had it before loses it.
 */
export function createSightings({ store, patch, upsert }: Needs) {
  const { find } = createRecognition(store);

  /** Whoever asks has locked the username. */
  async function takeFrom(tx: Tx, writer: Writer, former: ContactRow | undefined): Promise<void> {
    if (former !== undefined) await patch(tx, writer, former.id, { username: null }, unconditional);
  }

  async function seenAnew(tx: Tx, writer: Writer, person: Person, at: number): Promise<string> {
    const { env_id } = writer;
    const { first_name, last_name } = person;
    const { telegram_id, username } = identitiesOf(person);
    const holder = await find(tx, env_id, { telegram_id });
    const named = username === null ? undefined : await find(tx, env_id, { username });
    const own = holder ?? (named?.telegram_id === null ? named : undefined);
    if (named?.id !== own?.id) await takeFrom(tx, writer, named);
    const keepsName = own !== undefined && isNamed(own);
    const told = {
      telegram_id,
      ...(username === null ? {} : { username }),
      ...(keepsName || first_name === null ? {} : { first_name }),
      ...(keepsName || last_name === null ? {} : { last_name }),
    };
    const { contact } = await upsert(tx, writer, told, at);
    return contact.id;
  }

  return {
    /** A message has got to a person. Where no contact has the id, or contacts can't have such a name, nothing happens. */
    async met(tx: Tx, writer: Writer, { telegram_id, username }: { telegram_id: number; username: string }): Promise<void> {
      const { env_id } = writer;
      const name = usernameOf(username);
      if (name === null) return;
      const known = await store.byIdentity(tx, env_id, "telegram_id", telegram_id);
      if (known === undefined || known.username === name) return;
      await store.lockIdentities(tx, env_id, { telegram_id, username: name });
      const holder = await store.byIdentity(tx, env_id, "telegram_id", telegram_id);
      if (holder === undefined || holder.username === name) return;
      await takeFrom(tx, writer, await store.byIdentity(tx, env_id, "username", name));
      await patch(tx, writer, holder.id, { username: name }, unconditional);
    },

    /**
     * People have written. Each is the contact with their id, else the one with their username whose id is not known yet, else a
     * new one. Names are filled in only where the contact has none; a username that they have no more is not taken away.
     * @param people each once, with when they wrote, in ms; an earlier time than is known changes nothing
     * @returns the contacts' ids, by the people's
     */
    async seen(tx: Tx, writer: Writer, people: readonly Sighting[]): Promise<ReadonlyMap<number, string>> {
      const { env_id } = writer;
      if (people.length === 0) return new Map();
      // All of them at once: who takes others crosswise would wait for them.
      await store.lockIdentities(tx, env_id, ...people.map(({ person }) => identitiesOf(person)));
      const ids = people.map(({ person }) => person.telegram_id);
      const known = new Map((await store.byTelegramIds(tx, env_id, ids)).map((row) => [row.telegram_id!, row]));
      const contacts = new Map<number, string>();
      for (const { person, at } of people) {
        const row = known.get(person.telegram_id);
        const isOld = row !== undefined && tellsNothing(person, row);
        // That they were there is all that is new of nearly everybody.
        if (isOld) store.markSeen(tx, { ...row, last_seen_at: at });
        contacts.set(person.telegram_id, isOld ? row.id : await seenAnew(tx, writer, person, at));
      }
      return contacts;
    },
  };
}

function identitiesOf({ telegram_id, username }: Person): { telegram_id: number; username: string | null } {
  return { telegram_id, username: username === null ? null : usernameOf(username) };
}

const isNamed = ({ name, first_name, last_name }: ContactRow) => [name, first_name, last_name].some((part) => part !== null);

function tellsNothing(person: Person, row: ContactRow): boolean {
  const { username } = identitiesOf(person);
  return (username === null || username === row.username) && (isNamed(row) || (person.first_name ?? person.last_name) === null);
}
