import type { Tx } from "#src/core/tx.ts";
import type { ChannelAccount, ChatFacts } from "./channel.ts";
import type { Contacts } from "./contacts.ts";
import type { MessageStore } from "./store.ts";

/** Keeps what an account has learnt of a chat, and tells contacts whom it has met there. */
export function createChatKeeper({ store, contacts }: { store: MessageStore; contacts: Pick<Contacts, "met"> }) {
  return async (tx: Tx, { env_id, id: account_id }: ChannelAccount, chat: ChatFacts, updated_at: number): Promise<void> => {
    const { chat_id, type, first_name, last_name } = chat;
    const username = chat.username?.toLowerCase() ?? null;
    store.keepChat(tx, {
      env_id,
      account_id,
      chat_id,
      type,
      username,
      first_name,
      last_name,
      title: chat.title ?? null,
      blocked_at: null,
      updated_at,
    });
    if (type === "private" && username !== null) await contacts.met(tx, env_id, { telegram_id: Number(chat_id), username });
  };
}
