import type { Contact } from "#src/modules/contacts/model.ts";
import type { Reason } from "./model.ts";

type Told = Pick<Contact, "username" | "email">;

/** Why contacts of one name may be one person. */
export function reasonsOf(contacts: readonly Told[]): Reason[] {
  const mailboxes = contacts.map(({ email }) => email).filter((email) => email !== null);
  const isOneMailbox = new Set(mailboxes.map(mailboxOf)).size < mailboxes.length;
  const isNamedInEmail = contacts.some(
    (one) => one.username !== null && contacts.some((other) => other !== one && other.email?.startsWith(`${one.username}@`)),
  );
  return ["same_name", ...(isOneMailbox ? (["same_mailbox"] as const) : []), ...(isNamedInEmail ? (["username_in_email"] as const) : [])];
}

/** Where an address delivers to. https://support.google.com/mail/answer/7436150 */
export function mailboxOf(email: string): string {
  const at = email.lastIndexOf("@");
  const [local, domain] = [email.slice(0, at).replace(/(?<=.)\+.*$/, ""), email.slice(at + 1)];
  return domain === "gmail.com" || domain === "googlemail.com" ? `${local.replaceAll(".", "")}@gmail.com` : `${local}@${domain}`;
}
