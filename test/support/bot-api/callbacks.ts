import { randomBytes } from "node:crypto";
import type { Bot, CallbackAnswer } from "./model.ts";

/** Presses on buttons, from the query to the bot's answer. */
export interface Callbacks {
  readonly answers: readonly CallbackAnswer[];
  /** @returns the id of a new query */
  ask(bot: Pick<Bot, "token">): string;
  /** @returns false when the bot was never asked so, or has answered */
  answer(answer: CallbackAnswer): boolean;
}

export function createCallbacks(): Callbacks {
  const open = new Map<string, string>();
  const answers: CallbackAnswer[] = [];
  return {
    answers,
    ask({ token }) {
      const id = randomBytes(8).readBigUInt64BE().toString();
      open.set(id, token);
      return id;
    },
    answer(answer) {
      if (open.get(answer.callback_query_id) !== answer.token) return false;
      open.delete(answer.callback_query_id);
      answers.push(answer);
      return true;
    },
  };
}
