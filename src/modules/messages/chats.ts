import type { Tx } from "#src/core/tx.ts";
import type { ChannelAccount, ChatFacts, Destination } from "./channel.ts";
import type { Contacts } from "./contacts.ts";
import type { MessageStore } from "./store.ts";

/** Keeps what an account has learnt of a chat by sending to it. */
export function createChatKeeper({ store, contacts }: { store: MessageStore; contacts: Pick<Contacts, "met"> }) {
  return {
    /** Tells contacts too whom the account has met there. */
    async keepChat(tx: Tx, { env_id, id: account_id }: ChannelAccount, chat: ChatFacts, updated_at: number): Promise<void> {
      const { chat_id, type, first_name, last_name } = chat;
      const username = chat.username?.toLowerCase() ?? null;
      const place = { env_id, account_id, chat_id };
      store.keepChat(tx, { ...place, type, username, first_name, last_name, title: chat.title ?? null, blocked_at: null, updated_at });
      if (type === "private" && username !== null) await contacts.met(tx, env_id, { telegram_id: Number(chat_id), username });
    },

    /** The chat, where it is known, can't be written to. */
    keepBlocked(tx: Tx, { env_id, id: account_id }: ChannelAccount, { recipient, chat_id }: Destination, at: number): void {
      store.blockChat(tx, { env_id, account_id, chat_id: chat_id ?? recipient }, at);
    },
  };
}
