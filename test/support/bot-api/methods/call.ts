import type { Emulation } from "#test/support/bot-api/emulation.ts";
import type { Bot } from "#test/support/bot-api/model.ts";
import type { Params } from "#test/support/bot-api/params.ts";

/** One call of a method by a bot whose token was accepted. */
export interface Call {
  bot: Bot;
  params: Params;
  emulation: Emulation;
  /** Aborted when the client has gone. */
  signal: AbortSignal;
}

/** Gives the `result`. @throws BotApiFailure */
export type Method = (call: Call) => unknown;
