import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Channel } from "./channel.ts";
import type { Reaching, Unreachable, Way } from "./model.ts";
import { aliasesOf, type Suppressions } from "./screening.ts";
import type { SendingAccount } from "./service.ts";
import type { MessageStore } from "./store.ts";

type StandingAccount = SendingAccount & { status: string };

interface Needs<Account extends StandingAccount> {
  store: Pick<MessageStore, "chatsOf">;
  channels: ReadonlyMap<string, Channel>;
  suppressions: Suppressions;
  row(tx: Tx | null, env_id: number, id: number): Maybe<Account | undefined>;
  /** Those of these people who are here, by the ids that were asked for. */
  reachable(tx: Tx, env_id: number, ids: readonly string[]): Promise<ReadonlyMap<string, Reachable>>;
}

/** A person, and what they can be written to at, the surest first. */
interface Reachable {
  /** Another than the one asked for where that was merged. */
  id: string;
  addresses: string[];
  timezone: string | null;
  language: string | null;
}

/** Tells of many people at once who can write to them, as far as is known here. */
export function createReaching<Account extends StandingAccount>({ store, channels, suppressions, row, reachable }: Needs<Account>) {
  interface Sender {
    account: Account;
    channel: Channel;
  }

  async function sendersOf(tx: Tx, env_id: number, account_ids: readonly number[]): Promise<Sender[]> {
    const senders: Sender[] = [];
    for (const id of account_ids) {
      const account = await row(tx, env_id, id);
      if (account !== undefined && account.deleted_at === null) senders.push({ account, channel: channels.get(account.kind)! });
    }
    return senders;
  }

  /** Of each recipient why this account must not or can't write to it, or what is known of it. */
  async function look(tx: Tx, env_id: number, { account, channel }: Sender, recipients: readonly string[], screened: boolean) {
    const chats = await store.chatsOf(tx, env_id, account.id, [...recipients]);
    const aliases = aliasesOf(chats);
    const isOut = account.paused === 1 || account.status !== "connected";
    const spellings = (recipient: string) => [recipient, aliases.get(recipient)].filter((one) => one !== undefined);
    const isSuppressed = screened ? await suppressions.among(tx, env_id, recipients.flatMap(spellings)) : () => false;
    const known = new Map(
      chats.flatMap((chat) => [[chat.chat_id, chat] as const, ...(chat.username === null ? [] : [[`@${chat.username}`, chat] as const])]),
    );
    return (recipient: string): { obstacle: Unreachable } | Pick<Way, "isKnown" | "isOut" | "foreseen"> => {
      const chat = known.get(recipient);
      const isKnown = chat !== undefined;
      if (spellings(recipient).some((spelling) => isSuppressed(channel.family, spelling))) return { obstacle: "recipient_suppressed" };
      if (isKnown && chat.blocked_at !== null) return { obstacle: "recipient_blocked" };
      return { isKnown, isOut, foreseen: channel.foresee?.(account, recipient, isKnown)?.code ?? null };
    };
  }

  /**
   * @param account_ids who may write
   * @returns for each contact, in their order, who can write to them
   */
  return async (tx: Tx, env_id: number, account_ids: readonly number[], contact_ids: readonly string[]): Promise<Reaching[]> => {
    const people = await reachable(tx, env_id, contact_ids);
    const senders = await sendersOf(tx, env_id, account_ids);
    const screened = await suppressions.any(tx, env_id);
    const ways = new Map<string, Way[]>();
    const obstacles = new Map<string, Unreachable>();
    for (const sender of senders) {
      const at = new Map<string, string>();
      for (const [id, { addresses }] of people) {
        const recipient = addresses.map((address) => sender.channel.normalize(address)).find((form) => form !== null);
        if (recipient !== undefined && recipient !== null) at.set(id, recipient);
      }
      const seen = await look(tx, env_id, sender, [...new Set(at.values())], screened);
      for (const [id, recipient] of at) {
        const found = seen(recipient);
        if ("obstacle" in found) obstacles.set(id, obstacles.get(id) ?? found.obstacle);
        else ways.set(id, [...(ways.get(id) ?? []), { account_id: sender.account.id, recipient, ...found }]);
      }
    }
    return contact_ids.map((id): Reaching => {
      const person = people.get(id);
      if (person === undefined) return { kind: "none", contact_id: null, reason: "contact_not_found" };
      const found = ways.get(id);
      if (found !== undefined) {
        const { id: contact_id, timezone, language } = person;
        return { kind: "ways", contact_id, timezone, language, ways: found };
      }
      return { kind: "none", contact_id: person.id, reason: obstacles.get(id) ?? (senders.length === 0 ? "no_account" : "no_address") };
    });
  };
}
