import type { tl } from "@mtcute/core";
import type { BaseTelegramClient } from "@mtcute/core/client.js";
import type { Clock } from "#src/core/clock.ts";
import { AT_ONCE } from "./client.ts";
import { withDeadline } from "./deadline.ts";
import type { Peers } from "./peers.ts";
import type { AccountStorage } from "./storage.ts";

/** A connected account. */
export interface Live {
  readonly client: BaseTelegramClient;
  readonly storage: AccountStorage;
  readonly peers: Peers;
  /** Whether there is a connection right now. */
  isUsable(): boolean;
  /** Asks Telegram, with a deadline. */
  call<T extends tl.RpcMethod>(request: T, signal: AbortSignal, options?: CallOptions): Promise<tl.RpcCallReturn[T["_"]]>;
}

interface CallOptions {
  dcId?: number;
  /** Large parts go over connections of their own. */
  kind?: "upload" | "download";
  ms?: number;
}

/** The connected accounts of this process, by their id. */
export type Lives = Map<number, Live>;

const ANSWER_MS_MAX = 10_000;

interface Parts {
  client: BaseTelegramClient;
  storage: AccountStorage;
  peers: Peers;
  clock: Clock;
  ended: AbortSignal;
  isUsable(): boolean;
}

export function createLive({ client, storage, peers, clock, ended, isUsable }: Parts): Live {
  return {
    client,
    storage,
    peers,
    isUsable,
    call: (request, signal, { ms = ANSWER_MS_MAX, ...options } = {}) =>
      withDeadline(
        clock,
        ms,
        [ended, signal],
        (abortSignal) => client.call(request as never, { abortSignal, ...AT_ONCE, ...options }) as never,
      ),
  };
}
