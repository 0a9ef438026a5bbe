/** How far an account's updates were read: https://core.telegram.org/api/updates#updates-sequences */
export type Place = Map<string, number>;

const PREFIX = "updates_";

/** Whether mtcute means a number of the place by it. */
export const isOfPlace = (key: string) => key.startsWith(PREFIX);

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
