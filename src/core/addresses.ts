/** What a person can be written to at. */
export interface Reachable {
  telegram_id: number | null;
  username: string | null;
  phone: string | null;
}

/** A person's addresses, the surest first, in the form in which messages and suppressions keep them. */
export function addressesOf({ telegram_id, username, phone }: Reachable): string[] {
  const all = [telegram_id === null ? null : String(telegram_id), username === null ? null : `@${username}`, phone];
  return all.filter((address) => address !== null);
}
