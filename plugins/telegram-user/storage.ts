import { type ITelegramStorageProvider, MemoryStorageDriver } from "@mtcute/core";
import { createMet } from "./met.ts";
import { channelsOf, fillGap, gapsOf, hear, isOfPlace, openGap, readPlace, writePlace } from "./place.ts";
import { type Session, SESSION_KEYS, writeSession } from "./session.ts";
import { type Peers, tolerant } from "./peers.ts";

interface Keeping {
  session: Session | null;
  place: string | null;
  peers: Peers;
  /** What is to outlive the process, as it is by now. */
  onSession(session: string): void;
  onPlace(place: string): void;
}

export interface AccountStorage extends ITelegramStorageProvider {
  session(): string;
  /** How far each channel was read, by its id. */
  channels(): Map<number, number>;
  /** All messages of a box up to this one were heard of. */
  hear(box: number, id: number): void;
  /** What has come after that is to be read from the history. @returns false where nobody knows how far it was heard of */
  openGap(box: number): boolean;
  /** After which message of each box something is still to be read. */
  gaps(): Map<number, number>;
  /** It was read up to this message; null: all of it. */
  fillGap(box: number, upTo: number | null): void;
}

/**
 * mtcute's storage, in memory: what must outlive it is handed on as it changes.
 * mtcute saves the place at the end of each round of its updates loop, after it has told of everything before it.
 */
export function createStorage({ session, place, peers, onSession, onPlace }: Keeping): AccountStorage {
  const numbers = readPlace(place);
  const values = new Map(session?.values);
  const keys = new Map(session?.keys);
  const temporary = new Map<string, { key: Uint8Array; expires: number }>();
  let hasMoved = false;

  const current = () => writeSession({ values: new Map([...values].filter(([name]) => SESSION_KEYS.has(name))), keys: new Map(keys) });
  let told = current();
  const tellSession = () => {
    const now = current();
    if (now === told) return;
    told = now;
    onSession(now);
  };

  const tellPlace = () => {
    // Channels are known first; without the account's own place it would be listened to from later on.
    if (!hasMoved || !numbers.has("updates_pts")) return;
    hasMoved = false;
    onPlace(writePlace(numbers));
  };

  const driver = new MemoryStorageDriver();
  return {
    session: current,
    channels: () => channelsOf(numbers),
    hear: (box, id) => hear(numbers, box, id),
    openGap: (box) => openGap(numbers, box),
    gaps: () => gapsOf(numbers),
    fillGap(box, upTo) {
      fillGap(numbers, box, upTo);
      hasMoved = true;
      tellPlace();
    },
    driver: { load: () => driver.load(), save: tellPlace },
    kv: {
      set(name, value) {
        if (isOfPlace(name)) {
          const number = viewOf(value).getInt32(0, true);
          hasMoved ||= numbers.get(name) !== number;
          numbers.set(name, number);
          return;
        }
        values.set(name, new Uint8Array(value));
        if (SESSION_KEYS.has(name)) tellSession();
      },
      get(name) {
        const number = isOfPlace(name) ? numbers.get(name) : undefined;
        return number === undefined ? (values.get(name) ?? null) : bytesOf(number);
      },
      delete(name) {
        values.delete(name);
        if (SESSION_KEYS.has(name)) tellSession();
      },
      deleteAll() {
        values.clear();
        numbers.clear();
      },
    },
    authKeys: {
      set(dc, key) {
        if (key === null) keys.delete(dc);
        else keys.set(dc, new Uint8Array(key));
        tellSession();
      },
      get: (dc) => keys.get(dc) ?? null,
      setTemp(dc, index, key, expires) {
        if (key === null) temporary.delete(`${dc}:${index}`);
        else temporary.set(`${dc}:${index}`, { key, expires });
      },
      getTemp(dc, index, now) {
        const found = temporary.get(`${dc}:${index}`);
        return found === undefined || found.expires <= now ? null : found.key;
      },
      deleteByDc(dc) {
        keys.delete(dc);
        tellSession();
      },
      deleteAll() {
        keys.clear();
        temporary.clear();
      },
    },
    peers: tolerant(peers),
    refMessages: createMet(),
  };
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function bytesOf(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, number, true);
  return bytes;
}
