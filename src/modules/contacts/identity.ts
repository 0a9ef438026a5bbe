import { parsePhoneNumberFromString } from "libphonenumber-js/min";
import { AppError, invalidField } from "#src/core/errors.ts";
import type { ContactInput } from "./model.ts";

/** What tells one person from another, in the order in which a person is looked for. */
export const identities = ["external_id", "telegram_id", "username", "email", "phone"] as const;
export type Identity = (typeof identities)[number];
export type Identities = { [Name in Identity]?: (Name extends "telegram_id" ? number : string) | null };

/**
 * The identities that were given, each in the one form in which it is kept.
 * @throws AppError `validation_error` on the one that is none
 */
export function readIdentities({ external_id, telegram_id, username, email, phone }: ContactInput): Identities {
  const read: Identities = {};
  if (external_id !== undefined) read.external_id = external_id;
  if (telegram_id !== undefined) read.telegram_id = telegram_id;
  if (username !== undefined) read.username = username === null ? null : readUsername(username);
  if (email !== undefined) read.email = email === null ? null : readEmail(email);
  if (phone !== undefined) read.phone = phone === null ? null : readPhone(phone);
  return read;
}

/** https://core.telegram.org/method/account.checkUsername: letters, digits and underscores; the oldest have four. */
export function usernameOf(text: string): string | null {
  const name = text.trim().replace(/^@/, "").toLowerCase();
  return /^[a-z][a-z0-9_]{2,31}$/.test(name) ? name : null;
}

function readUsername(username: string): string {
  const name = usernameOf(username);
  if (name === null) throw invalidField("username", "bad_format", "username is not a Telegram username such as @sarah_miller.", username);
  return name;
}

function readEmail(email: string): string {
  const address = email.trim().toLowerCase();
  if (!/^[^\s@<>,;:"]+@[^\s@<>,;:"]+\.[^\s@<>,;:".]+$/.test(address))
    throw invalidField("email", "bad_format", "email is not an address such as sarah@example.com.", email);
  return address;
}

function readPhone(phone: string): string {
  const number = parsePhoneNumberFromString(phone);
  if (number === undefined || !number.isPossible())
    throw invalidField("phone", "bad_format", "phone is not a number in international form, such as +44 7700 900123.", phone);
  return number.number;
}

/** Those of a contact that can be taken. */
export function identitiesOf(input: ContactInput): Identities[] {
  try {
    return [readIdentities(input)];
  } catch (error) {
    if (error instanceof AppError) return [];
    throw error;
  }
}
