import type { Box } from "./cloud/box.ts";
import type { Letter, User } from "./cloud/model.ts";

export type UserRef = Pick<User, "id">;
export type Person = Pick<User, "id" | "firstName" | "lastName" | "username" | "phone">;

/** One message in someone's box. */
export interface HistoryEntry {
  id: number;
  /** A user's id. */
  from: number;
  to: number;
  text: string;
  /** Unix time, seconds. */
  date: number;
  /** What the sender's client gave it, by which a second one would be known. */
  randomId?: string;
}

export function presentPerson({ id, firstName, lastName, username, phone }: User): Person {
  return { id, firstName, ...(lastName && { lastName }), ...(username && { username }), ...(phone && { phone }) };
}

export function presentEntry(letter: Letter, box: Box): HistoryEntry {
  const { from, to, text, date, randomId, ids } = letter;
  return { id: ids.get(box) ?? 0, from: from.id, to: to.id, text, date, ...(randomId && { randomId: randomId.toString() }) };
}
