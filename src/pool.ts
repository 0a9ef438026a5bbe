import type { createAccounts } from "./accounts.ts";
import type { ContactService } from "#src/modules/contacts/service.ts";
import type { Channel } from "#src/modules/messages/channel.ts";
import type { MessageStore } from "#src/modules/messages/store.ts";
import type { PoolAccount, Sender } from "#src/modules/sequences/sending.ts";

interface Needs {
  channels: ReadonlyMap<string, Channel>;
  accounts: Pick<ReturnType<typeof createAccounts>["service"], "row">;
  contacts: Pick<ContactService, "addresses">;
  chatsOf: MessageStore["chatsOf"];
}

/** The accounts of a pool, and whom each can write to, as far as is known here. */
export function createPool({ channels, accounts, contacts, chatsOf }: Needs): Pick<Sender, "accounts" | "reaches"> {
  return {
    async accounts(tx, env_id, ids) {
      const pool: PoolAccount[] = [];
      for (const id of ids) {
        const row = await accounts.row(tx, env_id, id);
        if (row !== undefined) pool.push({ id, kind: row.kind, isOut: row.deleted_at !== null || row.status === "disconnected" });
      }
      return pool;
    },
    async reaches(tx, env_id, account_id, contact_id) {
      const account = await accounts.row(tx, env_id, account_id);
      const contact = await contacts.addresses(tx, env_id, contact_id);
      if (account === undefined || contact === undefined) return false;
      const channel = channels.get(account.kind)!;
      const recipient = contact.addresses.map((address) => channel.normalize(address)).find((form) => form !== null) ?? null;
      if (recipient === null) return false;
      const chats = await chatsOf(tx, env_id, account_id, [recipient]);
      if (chats.some(({ blocked_at }) => blocked_at !== null)) return false;
      return (channel.foresee?.(account, recipient, chats.length > 0) ?? null) === null;
    },
  };
}
