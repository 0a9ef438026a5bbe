import { isTlRpcError } from "@mtcute/core/utils.js";
import type { RpcCallMiddleware } from "@mtcute/core";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { ConnectedAccount, Link } from "#src/modules/connections/model.ts";
import { createClient, type TelegramUserOptions } from "./client.ts";
import { isAccountGone, isSessionEnd, SessionEnded, wordsOfEnd } from "./errors.ts";
import { happeningOf } from "./inbound.ts";
import { createJournal } from "./journal.ts";
import { createLive, type Lives } from "./live.ts";
import { createPeers } from "./peers.ts";
import { readSession, type Session } from "./session.ts";
import { createStorage } from "./storage.ts";

interface Needs {
  telegram: TelegramUserOptions;
  clock: Clock;
  log: Log;
  lives: Lives;
}

/** What the next client of this account begins with. */
interface Known {
  session: string | null;
  place: string | null;
}

export type Ending = { kind: "closed" } | { kind: "failed"; reason: string } | { kind: "refused"; reason: string; final: boolean };

/** A revoked session tells nothing while nothing is asked of it. */
const PROBE_MS = 120_000;
const PROBE_ANSWER_MS = 30_000;
const LOST = "There is no connection to Telegram.";

/** One client's life: connects, tells of what happens, and resolves once it is over. */
export async function connectOnce(
  { telegram, clock, log, lives }: Needs,
  account: ConnectedAccount,
  link: Link,
  known: Known,
  closed: AbortSignal,
): Promise<Ending> {
  const session = known.session === null ? null : readSession(known.session);
  if (session === null || !session.values.has("current_user"))
    return { kind: "refused", reason: "The account is not logged in.", final: false };

  const over = Promise.withResolvers<Ending>();
  const ended = new AbortController();
  const end = (ending: Ending) => over.resolve(ending);
  closed.addEventListener("abort", () => end({ kind: "closed" }));

  const remembering: Link = {
    ...link,
    async take(happened, place) {
      await link.take(happened, place);
      known.place = place ?? known.place;
    },
    async saveSession(text) {
      await link.saveSession(text);
      known.session = text;
    },
  };
  const journal = createJournal({
    link: remembering,
    peers: () => peers,
    onBroken: () => end({ kind: "closed" }),
    onOverflow: () => end({ kind: "failed", reason: "More comes in than can be written." }),
  });
  const peers = createPeers(link.peers, clock.now, journal.touch);
  const storage = createStorage({
    session,
    place: known.place,
    peers,
    onPlace: journal.reach,
    onSession: (text) => {
      if (hasAllKeysOf(session, text)) journal.keepSession(text);
    },
  });

  let isUsable = false;
  const onAnswer: RpcCallMiddleware = async (context, next) => {
    const answer = await next(context);
    if (ended.signal.aborted) return answer;
    if (!isTlRpcError(answer)) link.proved();
    else if (isSessionEnd(answer.errorMessage) && context.params?.manager === undefined && context.params?.dcId === undefined) {
      const name = answer.errorMessage;
      end({ kind: "refused", reason: wordsOfEnd(name), final: isAccountGone(name) });
    }
    return answer;
  };

  let client: ReturnType<typeof createClient>;
  try {
    client = createClient({ telegram, storage, proxy: account.proxy, log, withUpdates: true, onAnswer });
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : "The proxy's address can't be used." };
  }
  const live = createLive({ client, storage, peers, clock, ended: ended.signal, isUsable: () => isUsable });

  let cancelProbe: () => void = () => undefined;
  const probe = async (): Promise<void> => {
    cancelProbe();
    try {
      await live.call({ _: "updates.getState" }, ended.signal, { ms: PROBE_ANSWER_MS });
    } catch {
      if (!ended.signal.aborted) link.failed(isUsable ? "Telegram does not answer." : LOST);
    }
    if (!ended.signal.aborted) cancelProbe = clock.at(clock.now() + PROBE_MS, () => void probe());
  };

  client.onError.add(() => undefined);
  client.onConnectionState.add((state) => {
    if (ended.signal.aborted) return;
    if (state === "connecting" || state === "offline") {
      if (isUsable) link.failed(LOST);
      isUsable = false;
    } else if (state === "connected" && !isUsable) {
      isUsable = true;
      // A new server session has no memory of what it has not told.
      client.handleClientUpdate({ _: "updatesTooLong" }, false);
      void probe();
    }
  });
  client.onRawUpdate.add((info) => {
    const self = client.storage.self.getCached(true)?.userId ?? 0;
    const happening = happeningOf(info, { storage, self, log, now: clock.now });
    if (happening !== null) journal.add(happening);
  });

  const start = async (): Promise<void> => {
    await client.connect();
    await client.startUpdatesLoop();
  };
  lives.set(account.id, live);
  start().catch(() => end({ kind: "failed", reason: LOST }));

  const ending = await over.promise;
  isUsable = false;
  ended.abort(ending.kind === "refused" ? new SessionEnded(ending.reason, ending.final) : new Error("The account is no longer connected."));
  cancelProbe();
  if (lives.get(account.id) === live) lives.delete(account.id);
  // Before the client ends: it drops what it has not told of, and saves a place beyond it.
  await journal.seal();
  await client.destroy();
  return ending;
}

/** A key that Telegram has forgotten would otherwise be written over the one that is asked to log in again. */
function hasAllKeysOf(session: Session, text: string): boolean {
  const now = readSession(text);
  return [...session.keys].every(([dc, key]) => Buffer.compare(now?.keys.get(dc) ?? new Uint8Array(), key) === 0);
}
