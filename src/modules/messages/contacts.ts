import { invalidField, notFound } from "#src/core/errors.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Channel } from "./channel.ts";
import { readRecipient } from "./compose.ts";

/** What a text can say of a contact, by the variable's name. */
export type ContactVariables = Readonly<Record<string, string>>;

/** The verbs that messages use of contacts. */
export interface Contacts {
  /** Whom an id stands for, and what they can be written to at, the surest first; undefined where there is no such contact. */
  addresses(tx: Tx, env_id: number, id: string): Maybe<{ id: string; addresses: string[] } | undefined>;
  /** Whose a recipient in its normal form is. */
  ownerOf(tx: Tx, env_id: number, recipient: string): Maybe<string | null>;
  /** A private chat has told whose id and username these are. */
  met(tx: Tx, env_id: number, person: { telegram_id: number; username: string }): Promise<void>;
  /** What is known of these people; those that are gone are left out. */
  variables(tx: Tx, env_id: number, ids: readonly string[]): Maybe<ReadonlyMap<string, ContactVariables>>;
}

/** Where a message goes, and whose address that is as far as is known. */
export interface Addressee {
  recipient: string;
  contact_id: string | null;
}

/** @throws AppError `not_found` for a contact that is not here, `validation_error` on `to` */
export async function addressee(
  tx: Tx,
  env_id: number,
  { channel, contacts, to }: { channel: Channel; contacts: Pick<Contacts, "addresses" | "ownerOf">; to: string | number },
): Promise<Addressee> {
  if (typeof to !== "string" || !to.startsWith("ct_")) {
    const recipient = readRecipient(channel, to);
    return { recipient, contact_id: await contacts.ownerOf(tx, env_id, recipient) };
  }
  const contact = await contacts.addresses(tx, env_id, to);
  if (contact === undefined) throw notFound("contact");
  const usable = contact.addresses.map((address) => channel.normalize(address)).find((recipient) => recipient !== null);
  if (usable === undefined || usable === null)
    throw invalidField(
      "to",
      "not_allowed",
      "This contact has no address that the account can write to: neither a Telegram id nor a username.",
      to,
    );
  return { recipient: usable, contact_id: contact.id };
}
