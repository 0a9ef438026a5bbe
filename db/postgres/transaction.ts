import type { Kysely } from "kysely";
import type { Tx } from "#src/core/tx.ts";
import { codeOf } from "#db/errors.ts";
import type { Schema } from "#db/schema.ts";
import { type Ask, type Connection, type Result, kyselyOver } from "./client.ts";

/** in_failed_sql_transaction: an earlier statement failed, and the server ignores this one. */
const ABORTED = "25P02";

/** A transaction on a connection of its own. Statements travel without waiting for one another's answers. */
export class PostgresTx implements Pick<Tx, "afterCommit"> {
  readonly waiting: (() => void)[] = [];
  open = true;
  /** The first statement that failed: the server stores nothing of a transaction that has one. */
  failure: Error | undefined;
  #kysely: Kysely<Schema> | undefined;

  constructor(readonly connection: Connection) {}

  afterCommit(then: () => void): void {
    this.#check();
    this.waiting.push(then);
  }

  readonly ask: Ask = (sql, parameters) => {
    this.#check();
    return this.#send(sql, parameters);
  };

  /** Made on first use: hot statements do without. */
  get kysely(): Kysely<Schema> {
    this.#check();
    this.#kysely ??= kyselyOver(this.ask);
    return this.#kysely;
  }

  /** BEGIN travels with the first statement. */
  begin(): void {
    void this.#send("begin", []);
  }

  /** @throws the error of the first statement that failed, whether or not the work has caught it */
  async commit(): Promise<void> {
    this.open = false;
    const { command } = await this.#send("commit", []);
    if (this.failure !== undefined) throw this.failure;
    // A transaction that was aborted in a way that we have not seen is rolled back without an error.
    if (command !== "COMMIT") throw new Error(`the server ended the transaction with ${command}`);
  }

  /** @returns what to tell of a work that threw `thrown` */
  async rollback(thrown: unknown): Promise<unknown> {
    this.open = false;
    // Bun closes a connection that is given back within a transaction, so a failure here needs nothing more.
    await Promise.allSettled([this.#send("rollback", [])]);
    return codeOf(thrown) === ABORTED ? (this.failure ?? thrown) : thrown;
  }

  #check(): void {
    if (!this.open) throw new Error("the transaction has ended");
  }

  #send(sql: string, parameters: readonly unknown[]): Promise<Result> {
    const answer = this.connection.unsafe(sql, [...parameters]);
    answer.catch((error: unknown) => (this.failure ??= error instanceof Error ? error : new Error(String(error))));
    return answer;
  }
}

export function postgresTx(tx: Tx): PostgresTx {
  return tx as unknown as PostgresTx;
}
