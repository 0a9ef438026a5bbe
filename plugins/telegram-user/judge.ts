import type { RpcCallMiddleware, tl } from "@mtcute/core";
import { isTlRpcError } from "@mtcute/core/utils.js";
import type { Link } from "#src/modules/connections/model.ts";
import { isAccountGone, isSessionEnd, wordsOfEnd } from "./errors.ts";
import { OWN_BOX } from "./place.ts";

interface Needs {
  link: Pick<Link, "proved">;
  /** The session is accepted no more. */
  refuse(reason: string, final: boolean): void;
  /** Telegram does not tell what has happened in this box. */
  miss(box: number): void;
}

/** Every answer proves the connection; that the session has ended can be the answer to anything. */
export function judge(ended: AbortSignal, { link, refuse, miss }: Needs): RpcCallMiddleware {
  return async (context, next) => {
    const answer = await next(context);
    if (ended.aborted) return answer;
    const isOfHomeDc = context.params?.manager === undefined && context.params?.dcId === undefined;
    const missed = tooLongOf(context.request, answer);
    if (missed !== null) miss(missed);
    if (!isTlRpcError(answer)) link.proved();
    else if (isSessionEnd(answer.errorMessage) && isOfHomeDc) {
      const name = answer.errorMessage;
      refuse(wordsOfEnd(name), isAccountGone(name));
    }
    return answer;
  };
}

/** The box of which Telegram would have more to tell than it does; null where it tells all. */
function tooLongOf(request: tl.RpcMethod, answer: unknown): number | null {
  const kind = typeof answer === "object" && answer !== null && "_" in answer ? answer._ : null;
  if (kind === "updates.differenceTooLong") return OWN_BOX;
  if (kind !== "updates.channelDifferenceTooLong" || request._ !== "updates.getChannelDifference") return null;
  return "channelId" in request.channel ? request.channel.channelId : null;
}
