import type { RpcCallMiddleware } from "@mtcute/core";
import { isTlRpcError } from "@mtcute/core/utils.js";
import type { Link } from "#src/modules/connections/model.ts";
import { isAccountGone, isSessionEnd, wordsOfEnd } from "./errors.ts";

interface Needs {
  link: Pick<Link, "proved">;
  /** The session is accepted no more. */
  refuse(reason: string, final: boolean): void;
  /** Telegram does not tell what has happened in private chats and small groups. */
  missOwn(): void;
}

/** Every answer proves the connection; that the session has ended can be the answer to anything. */
export function judge(ended: AbortSignal, { link, refuse, missOwn }: Needs): RpcCallMiddleware {
  return async (context, next) => {
    const answer = await next(context);
    if (ended.aborted) return answer;
    const isOfHomeDc = context.params?.manager === undefined && context.params?.dcId === undefined;
    if (isTooLong(answer)) missOwn();
    if (!isTlRpcError(answer)) link.proved();
    else if (isSessionEnd(answer.errorMessage) && isOfHomeDc) {
      const name = answer.errorMessage;
      refuse(wordsOfEnd(name), isAccountGone(name));
    }
    return answer;
  };
}

const isTooLong = (answer: unknown) =>
  typeof answer === "object" && answer !== null && "_" in answer && answer._ === "updates.differenceTooLong";
