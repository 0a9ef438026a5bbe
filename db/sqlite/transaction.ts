import type { Kysely } from "kysely";
import { AppError } from "#src/core/errors.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Schema } from "#db/schema.ts";
import { type File, type Guard, kyselyOver } from "./connection.ts";

/** One write within a group. Statements run only between its savepoint and its release. */
export class SqliteTx implements Pick<Tx, "afterCommit">, Guard {
  open = true;
  readonly waiting: (() => void)[] = [];
  #failure: { error: unknown } | undefined;
  #kysely: Kysely<Schema> | undefined;

  constructor(readonly file: File) {}

  afterCommit(then: () => void): void {
    if (!this.open) throw endedError();
    this.waiting.push(then);
  }

  /** Made on first use: hot statements do without. */
  get kysely(): Kysely<Schema> {
    this.check();
    this.#kysely ??= kyselyOver(this.file, this);
    return this.#kysely;
  }

  /**
   * @throws Error when the work has ended; the error of an earlier statement, whether or not the work has caught it,
   * as on PostgreSQL; AppError `unavailable` when the engine has rolled everything back by itself: a statement would commit alone
   */
  check(): void {
    if (!this.open) throw endedError();
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!this.file.inTransaction) throw lostTransaction(undefined);
  }

  failed(error: unknown): void {
    this.#failure ??= { error };
  }
}

export function sqliteTx(tx: Tx): SqliteTx {
  return tx as unknown as SqliteTx;
}

export function lostTransaction(cause: unknown): AppError {
  return new AppError("unavailable", "The data could not be written and nothing was stored. Look at the disk and repeat.", {
    retryAfter: 5,
    cause,
  });
}

function endedError(): Error {
  return new Error("the transaction has ended");
}
