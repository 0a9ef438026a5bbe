declare const brand: unique symbol;

/**
 * A running write transaction. Opaque outside `db` and the stores: services only pass it on.
 * Whatever must not happen before the rows are on disk waits in `afterCommit`.
 */
export interface Tx {
  readonly [brand]: true;
  /** Calls `then` once the transaction is durable; never when it rolls back. */
  afterCommit(then: () => void): void;
}

/** A value, or the promise of one. On SQLite a store answers at once, on PostgreSQL it has to wait. */
export type Maybe<T> = T | Promise<T>;
