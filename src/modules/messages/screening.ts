import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Channel } from "./channel.ts";
import type { ChatRow, MessageRow } from "./store.ts";

/** The verbs that messages use of suppressions. */
export interface Suppressions {
  /** Whether an environment has any: where it has none, which is nearly everywhere, nothing more is asked. */
  any(tx: Tx, env_id: number): Maybe<boolean>;
  /** @returns tells of each of these recipients whether channels of a family must not write to it */
  among(tx: Tx, env_id: number, recipients: readonly string[]): Maybe<(family: string, recipient: string) => boolean>;
}

/** Messages of one account that begin together. */
export interface Group<Account> {
  account: Account;
  channel: Channel;
  rows: MessageRow[];
  aliases: Aliases;
}

/** What a recipient is called besides, as far as the account has met the chat: its id for a `@username`, and the other way about. */
type Aliases = ReadonlyMap<string, string>;

export const none: Aliases = new Map();

/** A name that several chats have had is the one's that was met last. */
export function aliasesOf(chats: readonly ChatRow[]): Aliases {
  const aliases = new Map<string, string>();
  for (const { username, chat_id } of chats.toSorted((a, b) => a.updated_at - b.updated_at)) {
    if (username === null) continue;
    aliases.set(`@${username}`, chat_id);
    aliases.set(chat_id, `@${username}`);
  }
  return aliases;
}

/**
 * Asks once for all messages of an environment that begin together. A suppression of either spelling counts.
 * @returns tells of each message whether its recipient must not be written to
 */
export async function screen<Account>(
  tx: Tx,
  env_id: number,
  groups: readonly Group<Account>[],
  suppressions: Suppressions,
): Promise<(row: MessageRow, group: Group<Account>) => boolean> {
  const asked = new Set(groups.flatMap((group) => group.rows.flatMap((row) => spellingsOf(row, group.aliases))));
  const isSuppressed = await suppressions.among(tx, env_id, [...asked]);
  return (row, { channel, aliases }) => spellingsOf(row, aliases).some((spelling) => isSuppressed(channel.family, spelling));
}

function spellingsOf({ recipient }: MessageRow, aliases: Aliases): string[] {
  const alias = aliases.get(recipient);
  return alias === undefined ? [recipient] : [recipient, alias];
}
