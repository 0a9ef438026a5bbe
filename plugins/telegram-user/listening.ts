import type { RpcCallMiddleware } from "@mtcute/core";
import type { BaseTelegramClient } from "@mtcute/core/client.js";
import { isTlRpcError } from "@mtcute/core/utils.js";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { ConnectedAccount, Link } from "#src/modules/connections/model.ts";
import { createClient, type TelegramUserOptions } from "./client.ts";
import { recallChannels } from "./dialogs.ts";
import { faultOf, isAccountGone, isSessionEnd, SessionEnded, wordsOfEnd } from "./errors.ts";
import { happeningOf } from "./inbound.ts";
import { createJournal, type Journal } from "./journal.ts";
import { createLive, type Lives } from "./live.ts";
import { createPeers, type Peers } from "./peers.ts";
import { createReading } from "./reading.ts";
import { readSession, type Session } from "./session.ts";
import { type AccountStorage, createStorage } from "./storage.ts";
import { watch } from "./watch.ts";

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

const LOST = "There is no connection to Telegram.";
const LOST_BY_PROXY = "There is no connection to Telegram through the account's proxy.";

/** One client's life: connects, tells of what happens, and resolves once it is over. */
export async function connectOnce(
  { telegram, clock, log, lives }: Needs,
  account: ConnectedAccount,
  link: Link,
  known: Known,
  closed: AbortSignal,
): Promise<Ending> {
  const session = known.session === null ? null : readSession(known.session);
  if (session?.values.has("current_user") !== true) return { kind: "refused", reason: "The account is not logged in.", final: false };

  const over = Promise.withResolvers<Ending>();
  const ended = new AbortController();
  const end = (ending: Ending) => over.resolve(ending);
  const close = () => end({ kind: "closed" });
  const isFirst = known.place === null;
  const { journal, storage, peers } = keep(session, link, known, clock, end);
  const onAnswer = judge(ended.signal, { link, log, account_id: account.id }, end);

  let client: BaseTelegramClient;
  try {
    client = createClient({ telegram, storage, proxy: account.proxy, log, withUpdates: true, onAnswer });
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : "The proxy's address can't be used." };
  }
  const lost = account.proxy === null ? LOST : LOST_BY_PROXY;
  const line = { isUsable: false };
  const live = createLive({ client, storage, peers, clock, ended: ended.signal, isUsable: () => line.isUsable });
  const complain = (error: unknown) => {
    log.warn("An account's chats could not be listed", { account_id: account.id, reason: faultOf(error)?.name ?? lost });
  };

  const reading = createReading({ live, isFirst, clock, ended: ended.signal, complain });

  // mtcute's own complaints: what we asked is answered to us, and the rest is asked again.
  client.onError.add(() => undefined);
  client.onRawUpdate.add((info) => {
    const self = client.storage.self.getCached(true)?.userId ?? 0;
    const happening = happeningOf(info, { storage, self, log, now: clock.now });
    if (happening !== null) journal.add(happening);
  });
  // A new server session has no memory of what it has not told.
  const onReturn = () => {
    if (client.updates?.updatesLoopActive !== true) return;
    client.updates.catchUp();
    void reading.read();
  };
  watch({ client, live, line, link, clock, ended: ended.signal, lost, onReturn });

  const start = async () => {
    await client.connect();
    if (isFirst) await reading.read();
    recallChannels(live);
    await client.startUpdatesLoop();
    if (!isFirst && line.isUsable) await reading.read();
  };
  lives.set(account.id, live);
  start().catch(() => end({ kind: "failed", reason: lost }));
  closed.addEventListener("abort", close);
  if (closed.aborted) close();

  const ending = await over.promise;
  closed.removeEventListener("abort", close);
  ended.abort(ending.kind === "refused" ? new SessionEnded(ending.reason, ending.final) : new Error("The account is no longer connected."));
  if (lives.get(account.id) === live) lives.delete(account.id);
  // Before the client ends: it drops what it has not told of, and saves a place beyond it.
  await journal.seal();
  await client.destroy();
  return ending;
}

/** What is to outlive this client goes to the link, and is what the next one begins with. */
function keep(
  session: Session,
  link: Link,
  known: Known,
  clock: Clock,
  end: (ending: Ending) => void,
): { journal: Journal; storage: AccountStorage; peers: Peers } {
  const journal = createJournal({
    async take(happened, place) {
      await link.take(happened, place);
      known.place = place ?? known.place;
    },
    async saveSession(text) {
      await link.saveSession(text);
      known.session = text;
    },
    savePeers: () => peers.save(),
    clock,
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
  return { journal, storage, peers };
}

/** Every answer proves the connection; that the session has ended can be the answer to anything. */
function judge(
  ended: AbortSignal,
  { link, log, account_id }: { link: Link; log: Log; account_id: number },
  end: (ending: Ending) => void,
): RpcCallMiddleware {
  return async (context, next) => {
    const answer = await next(context);
    if (ended.aborted) return answer;
    const isOfHomeDc = context.params?.manager === undefined && context.params?.dcId === undefined;
    if (isTooLong(answer)) log.warn("Telegram has told an account only a part of what it missed", { account_id });
    if (!isTlRpcError(answer)) link.proved();
    else if (isSessionEnd(answer.errorMessage) && isOfHomeDc) {
      const name = answer.errorMessage;
      end({ kind: "refused", reason: wordsOfEnd(name), final: isAccountGone(name) });
    }
    return answer;
  };
}

const TOO_LONG = new Set<unknown>(["updates.differenceTooLong", "updates.channelDifferenceTooLong"]);
const isTooLong = (answer: unknown) => typeof answer === "object" && answer !== null && "_" in answer && TOO_LONG.has(answer._);

/** A key that Telegram has forgotten would otherwise be written over the one that is asked to log in again. */
function hasAllKeysOf(session: Session, text: string): boolean {
  const now = readSession(text);
  return [...session.keys].every(([dc, key]) => Buffer.compare(now?.keys.get(dc) ?? new Uint8Array(), key) === 0);
}
