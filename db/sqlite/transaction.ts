import type { Kysely } from "kysely";
import { AppError } from "#src/core/errors.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Schema } from "#db/schema.ts";
import { type File, kyselyOver } from "./connection.ts";

/** One write within a group. Statements run only between its savepoint and its release. */
export class SqliteTx implements Pick<Tx, "afterCommit"> {
  open = true;
  readonly waiting: (() => void)[] = [];
  #kysely: Kysely<Schema> | undefined;

  constructor(readonly file: File) {}

  afterCommit(then: () => void): void {
    if (!this.open) throw endedError();
    this.waiting.push(then);
  }

  /** Made on first use: hot statements do without. */
  get kysely(): Kysely<Schema> {
    this.#kysely ??= kyselyOver(this.file, () => this.check());
    return this.#kysely;
  }

  /**
   * @throws Error when the work has ended; AppError `unavailable` when the engine has rolled everything back by itself:
   * a statement would then commit alone
   */
  check(): void {
    if (!this.open) throw endedError();
    if (!this.file.inTransaction) throw lostTransaction(undefined);
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
