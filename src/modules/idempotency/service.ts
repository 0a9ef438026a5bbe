import type { Cipher } from "#src/core/cipher.ts";
import type { Clock } from "#src/core/clock.ts";
import { AppError, invalidField } from "#src/core/errors.ts";
import { canonicalJson } from "#src/core/json.ts";
import type { Principal } from "#src/core/principal.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Answer, WriteOptions } from "#src/core/write.ts";
import type { IdempotencyRow, IdempotencyStore } from "./store.ts";

/** How long an answer is kept for a replay, unless it is kept for ever. */
const KEPT_MS = 24 * 3_600_000;

interface Needs {
  store: IdempotencyStore;
  clock: Clock;
  cipher: Cipher;
  /** The database's `write`. */
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
}

/** A write request, as far as idempotency cares. */
export interface WriteAsk {
  principal: Principal;
  /** Canonical name, whatever the address that was used. */
  operation: string;
  /** The Idempotency-Key header; null without one. */
  key: string | null;
  /** Path and body: what makes two requests the same. */
  payload: unknown;
  options: WriteOptions;
}

/** What goes out: the first answer's text, or a replay of it. */
export interface Written {
  status: number;
  body: string;
  headers: Record<string, string>;
  replayed: boolean;
}

/** Write requests that can be repeated safely. Follows the contract's section Idempotency. */
export function createIdempotencyService({ store, clock, cipher, write }: Needs) {
  /** Requests of this process that are asking the outside. */
  const underWay = new Map<string, Promise<void>>();
  const place = ({ principal, operation, key }: WriteAsk) => ({ env_id: principal.env_id, operation, key: key ?? "" });
  const sealedFor = ({ principal, operation, key }: WriteAsk) => `idempotency:${principal.env_id}:${operation}:${key}`;

  function replay(ask: WriteAsk, kept: IdempotencyRow, fingerprint: string): Written {
    if (kept.fingerprint !== fingerprint)
      throw new AppError("conflict", "This Idempotency-Key was used with another payload: take a new key for a new request.");
    if (kept.status === null)
      throw new AppError(
        "conflict",
        "A request with this Idempotency-Key was begun and not finished: look whether it took effect, and take a new key to try again.",
      );
    const body = kept.sealed === 1 ? cipher.open(kept.body!, sealedFor(ask)) : kept.body!;
    return { status: kept.status, body, headers: {}, replayed: true };
  }

  function toRow(ask: WriteAsk, fingerprint: string, answer: { status: number; body: string } | null): IdempotencyRow {
    const now = clock.now();
    const sealed = ask.options.secret === true && answer !== null;
    return {
      ...place(ask),
      fingerprint,
      status: answer?.status ?? null,
      body: sealed ? cipher.seal(answer.body, sealedFor(ask)) : (answer?.body ?? null),
      sealed: sealed ? 1 : 0,
      created_at: now,
      expires_at: ask.options.keepForever === true ? null : now + KEPT_MS,
    };
  }

  /** An expired row that housekeeping has not removed yet is none. */
  async function find(tx: Tx | null, ask: WriteAsk): Promise<IdempotencyRow | undefined> {
    const kept = await store.find(tx, place(ask));
    if (kept === undefined || kept.expires_at === null || kept.expires_at > clock.now()) return kept;
    if (tx !== null) await store.remove(tx, kept);
    return undefined;
  }

  async function perform(tx: Tx, ask: WriteAsk, fingerprint: string, work: (tx: Tx) => Maybe<Answer>): Promise<Written> {
    if (ask.key !== null) {
      const kept = await find(tx, ask);
      if (kept !== undefined) return replay(ask, kept, fingerprint);
    }
    const written = toWritten(await work(tx));
    if (ask.key !== null) store.insert(tx, toRow(ask, fingerprint, written));
    return written;
  }

  return {
    /**
     * Runs a write in one transaction with its idempotency row.
     * @throws AppError `conflict` for a key with another payload; whatever `work` throws, and then nothing is kept
     */
    async run(ask: WriteAsk, work: (tx: Tx) => Maybe<Answer>): Promise<Written> {
      checkKey(ask);
      const fingerprint = ask.key === null ? "" : fingerprintOf(ask.payload);
      try {
        return await write((tx) => perform(tx, ask, fingerprint, work));
      } catch (error) {
        if (ask.key === null) throw error;
        // On PostgreSQL a twin may have committed meanwhile: then ours failed because of it, and its answer is ours.
        const kept = await find(null, ask);
        if (kept === undefined) throw error;
        return replay(ask, kept, fingerprint);
      }
    },

    /**
     * Runs a write that must ask the outside first. A `started` row is durable before it asks, so that a crash between
     * is told from a request that was never made.
     */
    async runAsking<Found>(ask: WriteAsk, question: () => Promise<Found>, work: (tx: Tx, found: Found) => Maybe<Answer>): Promise<Written> {
      checkKey(ask);
      if (ask.key === null) {
        const found = await question();
        return toWritten(await write((tx) => work(tx, found)));
      }
      const id = canonicalJson(place(ask));
      // A twin that arrives meanwhile waits, and then finds the answer, or that there is none.
      for (let twin = underWay.get(id); twin !== undefined; twin = underWay.get(id)) await twin;
      const { promise, resolve } = Promise.withResolvers<void>();
      underWay.set(id, promise);
      try {
        return await askAndWrite(ask, fingerprintOf(ask.payload), question, work);
      } finally {
        underWay.delete(id);
        resolve();
      }
    },
  };

  async function askAndWrite<Found>(
    ask: WriteAsk,
    fingerprint: string,
    question: () => Promise<Found>,
    work: (tx: Tx, found: Found) => Maybe<Answer>,
  ): Promise<Written> {
    const kept = await begin(ask, fingerprint);
    if (kept !== undefined) return replay(ask, kept, fingerprint);
    try {
      const found = await question();
      return await write(async (tx) => {
        const written = toWritten(await work(tx, found));
        await store.finish(tx, toRow(ask, fingerprint, written));
        return written;
      });
    } catch (error) {
      // It failed and did nothing: it may be mended and tried again with the same key.
      await write((tx) => store.remove(tx, place(ask)));
      throw error;
    }
  }

  /** @returns the row that is there already */
  async function begin(ask: WriteAsk, fingerprint: string): Promise<IdempotencyRow | undefined> {
    try {
      return await write(async (tx) => {
        const kept = await find(tx, ask);
        if (kept === undefined) store.insert(tx, toRow(ask, fingerprint, null));
        return kept;
      });
    } catch (error) {
      if (store.isDuplicate(error)) return find(null, ask);
      throw error;
    }
  }
}

/** @throws AppError `validation_error` for a key that is missing where the API key asks for one, or is not 1 to 255 printable characters */
function checkKey({ key, principal }: WriteAsk): void {
  if (key === null) {
    if (!principal.require_idempotency) return;
    throw invalidField("Idempotency-Key", "required", "This API key asks for an Idempotency-Key header on every write.");
  }
  if (!/^[\x20-\x7e]{1,255}$/.test(key) || key.trim() === "")
    throw invalidField("Idempotency-Key", "bad_format", "An Idempotency-Key has 1 to 255 printable characters.");
}

function fingerprintOf(payload: unknown): string {
  return new Bun.CryptoHasher("sha256").update(canonicalJson(payload)).digest("base64url");
}

function toWritten({ status, body, headers = {} }: Answer): Written {
  return { status, body: body === null ? "" : JSON.stringify(body), headers, replayed: false };
}
