import type { Principal } from "./principal.ts";
import type { Maybe, Tx } from "./tx.ts";

/** What a write request answers. */
export interface Answer {
  status: number;
  body: object | null;
  headers?: Record<string, string>;
}

export interface WriteOptions {
  /** The answer holds a secret: what is kept of it for a replay is sealed. */
  secret?: boolean;
  /** The answer is kept as long as what it made, not for 24 hours. */
  keepForever?: boolean;
}

/**
 * Runs a write request in one transaction: its idempotency row, its rows, its jobs and its events commit together or not at all.
 * @returns the text of the answer; status and headers are set on `set`
 * @throws AppError `conflict` when the Idempotency-Key was used with another payload, and whatever `work` throws
 */
export type UnitOfWork = (
  context: WriteContext,
  work: (tx: Tx, principal: Principal) => Maybe<Answer>,
  options?: WriteOptions,
) => Promise<string>;

/** The parts of Elysia's context that a write needs. */
export interface WriteContext {
  request: Request;
  body: unknown;
  set: { status?: number | string; headers: Record<string, string | number> };
}

/** An operation that has to ask the outside before it can write, such as Telegram about a token. */
export type UnitOfWorkAsking = <Found>(
  context: WriteContext,
  ask: (principal: Principal) => Promise<Found>,
  work: (tx: Tx, principal: Principal, found: Found) => Maybe<Answer>,
  options?: WriteOptions,
) => Promise<string>;
