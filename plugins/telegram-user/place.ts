/** How far an account's updates were read: https://core.telegram.org/api/updates#updates-sequences */
export type Place = Map<string, number>;

const PREFIX = "updates_";
const CHANNEL = "updates_channel:";
/** Ours, of each box of messages. */
const HEARD = "updates_heard:";
const GAP = "updates_gap:";

/** The account's own box of messages: private chats and small groups. Each channel has one, by the channel's id. */
export const OWN_BOX = 0;

/** Whether mtcute means a number of the place by it. */
export const isOfPlace = (key: string) => key.startsWith(PREFIX);

/** How far each channel was read, by its id. */
export const channelsOf = (place: Place) => numbersOf(place, CHANNEL);

/** After which message of each box something is still to be read. */
export const gapsOf = (place: Place) => numbersOf(place, GAP);

function numbersOf(place: Place, prefix: string): Map<number, number> {
  const found = [...place].filter(([key]) => key.startsWith(prefix));
  return new Map(found.map(([key, number]) => [Number(key.slice(prefix.length)), number]));
}

/** All messages of a box up to this one were heard of. */
export function hear(place: Place, box: number, id: number): void {
  place.set(HEARD + box, Math.max(place.get(HEARD + box) ?? 0, id));
}

/** What has come after that is to be read. @returns false where nobody knows how far it was heard of */
export function openGap(place: Place, box: number): boolean {
  const after = place.get(GAP + box) ?? place.get(HEARD + box);
  if (after === undefined) return false;
  place.set(GAP + box, after);
  return true;
}

/** It was read up to this message; null: all of it. */
export function fillGap(place: Place, box: number, upTo: number | null): void {
  if (upTo === null) place.delete(GAP + box);
  else place.set(GAP + box, upTo);
}

export function writePlace(place: Place): string {
  return JSON.stringify(Object.fromEntries([...place].map(([key, value]) => [key.slice(PREFIX.length), value])));
}

/** A place that can't be read is none: the account is then listened to from now on. */
export function readPlace(text: string | null): Place {
  try {
    const numbers = Object.entries(JSON.parse(text ?? "{}") as Record<string, number>);
    return new Map(numbers.map(([key, value]) => [PREFIX + key, value]));
  } catch {
    return new Map();
  }
}
