/** How far an account's updates were read: https://core.telegram.org/api/updates#updates-sequences */
export type Place = Map<string, number>;

const PREFIX = "updates_";
const CHANNEL = "updates_channel:";

/** Whether mtcute means a number of the place by it. */
export const isOfPlace = (key: string) => key.startsWith(PREFIX);

/** How far each channel was read, by its id. */
export function channelsOf(place: Place): Map<number, number> {
  const channels = [...place].filter(([key]) => key.startsWith(CHANNEL));
  return new Map(channels.map(([key, pts]) => [Number(key.slice(CHANNEL.length)), pts]));
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
