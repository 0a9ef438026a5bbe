import type { RawUpdateInfo, tl } from "@mtcute/core";
import type { BaseTelegramClient } from "@mtcute/core/client.js";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { ConnectedAccount, Link } from "#src/modules/connections/model.ts";
import { createClient, type TelegramUserOptions } from "./client.ts";
import { recallChannels } from "./dialogs.ts";
import { faultOf, SessionEnded } from "./errors.ts";
import { bornIn, createGaps, heardIn } from "./gaps.ts";
import { happeningOf } from "./inbound.ts";
import { createJournal, type Journal } from "./journal.ts";
import { judge } from "./judge.ts";
import { createLive, type Lives } from "./live.ts";
import { createPeers, type Peers } from "./peers.ts";
import { OWN_BOX } from "./place.ts";
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
  const onAnswer = judge(ended.signal, { link, missOwn, refuse: (reason, final) => end({ kind: "refused", reason, final }) });

  let client: BaseTelegramClient;
  try {
    client = createClient({ telegram, storage, proxy: account.proxy, log, updates: { onChannelTooLong }, onAnswer });
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
  const tell = (info: RawUpdateInfo) => {
    const self = client.storage.self.getCached(true)?.userId ?? 0;
    const happening = happeningOf(info, { storage, self, log, now: clock.now });
    if (happening !== null) journal.add(happening);
  };
  client.onRawUpdate.add((info) => {
    tell(info);
    const heard = heardIn(info.update);
    if (heard !== null) storage.hear(...heard);
    const born = bornIn(info.update);
    if (born === null) return;
    storage.fillGap(born, 0);
    void gaps.read();
  });
  const giveUp = (box: number, error: unknown) => {
    const reason = faultOf(error)?.name ?? "it is not known";
    log.warn("What an account has missed of a chat can't be read", { account_id: account.id, channel_id: box, reason });
  };
  const gaps = createGaps({ live, clock, ended: ended.signal, tell, giveUp });

  const missed = (box: number) => {
    log.warn("Telegram has not told an account all that it missed: it is read from the history", {
      account_id: account.id,
      channel_id: box,
    });
    void gaps.read();
  };

  /** mtcute would tell of the newest messages alone, and before those that they follow. */
  function onChannelTooLong(channel: number, { messages }: tl.updates.RawChannelDifferenceTooLong): void {
    const oldest = Math.min(...messages.map(({ id }) => id));
    if (!storage.openGap(channel) && messages.length > 0) storage.fillGap(channel, oldest - 1);
    missed(channel);
  }

  function missOwn(): void {
    storage.openGap(OWN_BOX);
    const before = client.updates?.pts;
    // Once mtcute has taken it in: by itself it would not ask what has come since.
    setImmediate(() => {
      if (client.updates?.pts !== before) client.updates?.catchUp();
      missed(OWN_BOX);
    });
  }

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
    await gaps.read();
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

/** A key that Telegram has forgotten would otherwise be written over the one that is asked to log in again. */
function hasAllKeysOf(session: Session, text: string): boolean {
  const now = readSession(text);
  return [...session.keys].every(([dc, key]) => Buffer.compare(now?.keys.get(dc) ?? new Uint8Array(), key) === 0);
}
