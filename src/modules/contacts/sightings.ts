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

  return {
    /** A message has got to a person. Where no contact has the id nothing is known, and nothing happens. */
    async met(tx: Tx, writer: Writer, { telegram_id, username }: { telegram_id: number; username: string }): Promise<void> {
      const { env_id } = writer;
      const name = username.toLowerCase();
      const known = await store.byIdentity(tx, env_id, "telegram_id", telegram_id);
      if (known === undefined || known.username === name) return;
      await store.lockIdentities(tx, env_id, { telegram_id, username: name });
      const holder = await store.byIdentity(tx, env_id, "telegram_id", telegram_id);
      if (holder === undefined || holder.username === name) return;
      await takeFrom(tx, writer, await store.byIdentity(tx, env_id, "username", name));
      await patch(tx, writer, holder.id, { username: name }, unconditional);
    },

    /**
     * A person has written: the contact with their id, else the one with their username whose id is not known yet, else a new
     * one. Names are filled in only where the contact has none; a username that they have no more is not taken away.
     * @param at ms; an earlier one than is known changes nothing
     * @returns the contact's id
     */
    async seen(tx: Tx, writer: Writer, person: Person, at: number): Promise<string> {
      const { env_id } = writer;
      const { telegram_id, first_name, last_name } = person;
      const username = person.username === null ? null : usernameOf(person.username);
      await store.lockIdentities(tx, env_id, { telegram_id, username });
      const holder = await find(tx, env_id, { telegram_id });
      const named = username === null ? undefined : await find(tx, env_id, { username });
      const own = holder ?? (named?.telegram_id === null ? named : undefined);
      if (named?.id !== own?.id) await takeFrom(tx, writer, named);
      const isNamed = own !== undefined && [own.name, own.first_name, own.last_name].some((name) => name !== null);
      const told = {
        telegram_id,
        ...(username === null ? {} : { username }),
        ...(isNamed || first_name === null ? {} : { first_name }),
        ...(isNamed || last_name === null ? {} : { last_name }),
      };
      const { contact } = await upsert(tx, writer, told, at);
      return contact.id;
    },
  };
}
