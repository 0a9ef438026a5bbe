import { tooManyRequests } from "./failure.ts";
import { matches } from "./match.ts";
import type { CallMatch, Limits, Requests } from "./model.ts";

/** Answers 429 while a flood lasts that a test asked for, and when the limits are broken. */
export interface Pacing {
  /** Every matching call is refused for this many seconds. */
  flood(retryAfter: number, match?: CallMatch): void;
  /** @throws BotApiFailure 429 */
  check(call: Required<CallMatch>): void;
  /** A message was sent: it counts against the limits. */
  record(token: string, chatId: number): void;
}

interface Flood {
  match: CallMatch;
  until: number;
}

const WINDOW_MS = 1_000;
const SLACK_MS = 50;

export function createPacing(limits: Limits | undefined, requests: Requests): Pacing {
  let floods: Flood[] = [];
  const sends = new Map<string, number[]>();
  const windowMs = WINDOW_MS - (limits?.slack_ms ?? SLACK_MS);

  const isFull = (lane: string, count: number, now: number) => {
    const times = sends.get(lane) ?? [];
    while (times[0] !== undefined && times[0] <= now - windowMs) times.shift();
    return times.length >= count;
  };
  const add = (lane: string, now: number) => {
    const times = sends.get(lane);
    if (times === undefined) sends.set(lane, [now]);
    else times.push(now);
  };
  return {
    flood: (retryAfter, match = {}) => void floods.push({ match, until: performance.now() + retryAfter * 1000 }),
    check(call) {
      const now = performance.now();
      floods = floods.filter(({ until }) => until > now);
      const flood = floods.find(({ match }) => matches(match, call));
      if (flood !== undefined) throw tooManyRequests(Math.ceil((flood.until - now) / 1000));
      if (limits === undefined || !call.method.startsWith("send")) return;
      const isOver = isFull(call.token, limits.per_second, now) || isFull(`${call.token} ${call.chat_id}`, limits.per_chat_per_second, now);
      if (!isOver) return;
      requests.over_limit++;
      throw tooManyRequests(1);
    },
    record(token, chatId) {
      if (limits === undefined) return;
      const now = performance.now();
      add(token, now);
      add(`${token} ${chatId}`, now);
    },
  };
}
