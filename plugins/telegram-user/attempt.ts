import type { tl } from "@mtcute/core";
import type { BaseTelegramClient } from "@mtcute/core/client.js";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import { AT_ONCE, createClient, type TelegramUserOptions } from "./client.ts";
import { withDeadline } from "./deadline.ts";
import { createNoPeers } from "./peers.ts";
import { type AccountStorage, createStorage } from "./storage.ts";

/** How far a login has come. */
type AttemptState =
  | { kind: "new" }
  | { kind: "code"; phone: string; hash: string; isByEmail: boolean }
  | { kind: "qr"; url: string; expires_at: number; isScanned: boolean };

/** A login under way: its own client, which lives in memory alone. */
export interface Attempt {
  readonly client: BaseTelegramClient;
  readonly storage: AccountStorage;
  readonly telegram: TelegramUserOptions;
  readonly clock: Clock;
  state: AttemptState;
  /** Asks Telegram, with a deadline. */
  call<T extends tl.RpcMethod>(request: T): Promise<tl.RpcCallReturn[T["_"]]>;
  endAt(at: number, end: () => void): void;
  close(): Promise<void>;
}

const ANSWER_MS_MAX = 20_000;

interface Needs {
  telegram: TelegramUserOptions;
  clock: Clock;
  log: Log;
  proxy: string | null;
}

/** @throws where the proxy's address is none */
export function createAttempt({ telegram, clock, log, proxy }: Needs): Attempt {
  const nothing = () => undefined;
  const storage = createStorage({ session: null, place: null, peers: createNoPeers(), onSession: nothing, onPlace: nothing });
  const client = createClient({ telegram, storage, proxy, log, updates: null });
  // Whoever waits for an answer is told by the deadline.
  client.onError.add(nothing);
  const ended = new AbortController();
  let cancelEnd = nothing;
  const attempt: Attempt = {
    client,
    storage,
    telegram,
    clock,
    state: { kind: "new" },
    call: (request) =>
      withDeadline(
        clock,
        ANSWER_MS_MAX,
        [ended.signal],
        (abortSignal) => client.call(request as never, { abortSignal, ...AT_ONCE }) as never,
      ),
    endAt(at, end) {
      cancelEnd = clock.at(at, end) as () => undefined;
    },
    async close() {
      cancelEnd();
      ended.abort(new Error("The login was ended."));
      await client.destroy();
    },
  };
  client.onServerUpdate.add((update) => {
    const isScan = update._ === "updateShort" && update.update._ === "updateLoginToken";
    if (isScan && attempt.state.kind === "qr") attempt.state = { ...attempt.state, isScanned: true };
  });
  return attempt;
}
