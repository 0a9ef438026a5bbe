/** All that a later connection needs, as mtcute keeps it: which data centres, whose account, and the keys. */
export interface Session {
  /** Of mtcute's own key-value pairs, those of `SESSION_KEYS`. */
  values: Map<string, Uint8Array>;
  /** The authorization key of each data centre, by its number. */
  keys: Map<number, Uint8Array>;
}

/** The primary data centre, the one of its media, and the user who is logged in. */
export const SESSION_KEYS: ReadonlySet<string> = new Set(["dc_main", "dc_media", "current_user"]);

const VERSION = 1;

/** Full access to the account: to be kept encrypted. */
export function writeSession({ values, keys }: Session): string {
  return JSON.stringify({ version: VERSION, values: encode(values), keys: encode(keys) });
}

/** @returns null where it isn't one that this version reads */
export function readSession(text: string): Session | null {
  const parsed: unknown = parse(text);
  if (!isRecord(parsed) || parsed["version"] !== VERSION) return null;
  const { values, keys } = parsed;
  if (!isRecord(values) || !isRecord(keys)) return null;
  const keysOfDcs = Object.entries(keys).map(([dc, key]): [number, Uint8Array] => [Number(dc), decode(key)]);
  return { values: new Map(Object.entries(values).map(([name, value]) => [name, decode(value)])), keys: new Map(keysOfDcs) };
}

const encode = (map: ReadonlyMap<string | number, Uint8Array>) =>
  Object.fromEntries([...map].map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]));

const decode = (value: unknown) => new Uint8Array(Buffer.from(String(value), "base64"));

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
