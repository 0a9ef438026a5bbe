import { unconditional } from "#src/core/etag.ts";
import type { Tx } from "#src/core/tx.ts";
import type { ContactService, Writer } from "./service.ts";
import type { ContactStore } from "./store.ts";

interface Needs {
  store: ContactStore;
  patch: ContactService["patch"];
}

/** What Telegram tells of a person. */
interface Met {
  telegram_id: number;
  username: string;
}

/**
 * Usernames change hands on Telegram, ids never do: what it tells of an id is believed. The contact with the id gets the
 * username, and who had it before loses it. Where no contact has the id nothing is known, and nothing happens.
 */
export function createUsernameKeeper({ store, patch }: Needs) {
  return async (tx: Tx, writer: Writer, { telegram_id, username }: Met): Promise<void> => {
    const { env_id } = writer;
    const name = username.toLowerCase();
    const seen = await store.byIdentity(tx, env_id, "telegram_id", telegram_id);
    if (seen === undefined || seen.username === name) return;
    await store.lockIdentities(tx, env_id, { telegram_id, username: name });
    const holder = await store.byIdentity(tx, env_id, "telegram_id", telegram_id);
    if (holder === undefined || holder.username === name) return;
    const former = await store.byIdentity(tx, env_id, "username", name);
    if (former !== undefined) await patch(tx, writer, former.id, { username: null }, unconditional);
    await patch(tx, writer, holder.id, { username: name }, unconditional);
  };
}
