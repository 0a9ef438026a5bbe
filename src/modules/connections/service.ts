import { AppError, notFound } from "#src/core/errors.ts";
import type { Component } from "#src/core/lifecycle.ts";
import type { Tx } from "#src/core/tx.ts";
import { insist } from "./insist.ts";
import { createIntake, type IntakeNeeds, Lost } from "./intake.ts";
import type { ConnectedAccount, Connection, Connector, Inbound, Link } from "./model.ts";
import { createPeerBook } from "./peers.ts";
import { createProofs } from "./proofs.ts";
import type { ListeningRow } from "./store.ts";

/** A process that could not renew its lanes for so long may no longer own them: a lease lasts 30 s. */
const UNRENEWED_MS_MAX = 25_000;
/** Telegram waits no longer for the answer to its webhook. */
const TAKEN_MS_MAX = 30_000;

interface Needs extends IntakeNeeds {
  connectors: readonly Connector[];
  /** Whether lanes are leased, so that another copy can take them over. */
  isShared: boolean;
  secrets: {
    openToken(row: ListeningRow): string | null;
    openProxy(row: ListeningRow): string | null;
    openSession(row: { env_id: number; id: number }, sealed: string | null): string | null;
    sealSession(row: { env_id: number; id: number }, session: string): string;
  };
  /** Telegram accepts the token or session no more. */
  disconnect(tx: Tx, env_id: number, id: number, reason: string, final: boolean): Promise<void>;
}

interface Open {
  /** Of what it was connected with: where that changes, it is connected anew. */
  version: string;
  connection: Connection;
  aborter: AbortController;
}

export interface Connections extends Component {
  /** These accounts are this process's from now on: all of them, each time. */
  serve(accounts: readonly { env_id: number; id: number }[]): void;
  /** An account was added, changed or removed: looks at all of them again. */
  look(): void;
  /**
   * Keeps what came for an account by another way than its connection, as `Link.take` without a place.
   * @throws AppError `not_found` when the account is no longer there, `unavailable` when it can't be kept in time
   */
  take(env_id: number, id: number, items: readonly Inbound[]): Promise<void>;
  stats(): { open: number };
  /** Resolves when what was to be looked at is. */
  settled(): Promise<void>;
}

const keyOf = ({ env_id, id }: { env_id: number; id: number }) => `${env_id} ${id}`;

/** Keeps those accounts connected whose lanes this process has: one account in one process at a time. */
export function createConnections(needs: Needs): Connections {
  const { store, clock, log, write, connectors, secrets, isShared } = needs;
  const take = createIntake(needs);
  const proofs = createProofs({ store, clock, log, write });
  const byKind = new Map(connectors.map((connector) => [connector.kind, connector]));
  const open = new Map<string, Open>();
  let owned = new Set<string>();
  let started = false;
  let looking: Promise<void> | undefined;
  let again = false;
  let cancelExpiry: (() => void) | undefined;

  function look(): void {
    if (!started) return;
    if (looking !== undefined) {
      again = true;
      return;
    }
    looking = lookOnce()
      .catch((error: unknown) => {
        log.error("it could not be read which accounts are to be connected; it is tried again", { error });
        clock.at(clock.now() + 1_000, look);
      })
      .finally(() => {
        looking = undefined;
        if (!again) return;
        again = false;
        look();
      });
  }

  async function lookOnce(): Promise<void> {
    let wanted = await listening();
    const ends = [...open].filter(([key, { version }]) => !wanted.has(key) || versionOf(wanted.get(key)!) !== version);
    // Never two connections with one session: the one before has ended first, and has left its place.
    await Promise.all(ends.map(([key]) => close(key)));
    if (ends.length > 0) wanted = await listening();
    for (const [key, row] of wanted) if (!open.has(key) && started && owned.has(key)) connect(key, row);
  }

  async function listening(): Promise<Map<string, ListeningRow>> {
    const rows = owned.size === 0 || byKind.size === 0 ? [] : await store.listening([...byKind.keys()]);
    return new Map(rows.filter((row) => owned.has(keyOf(row)) && isReady(row)).map((row) => [keyOf(row), row]));
  }

  function connect(key: string, row: ListeningRow): void {
    const aborter = new AbortController();
    try {
      const account = opened(row);
      const connection = byKind.get(row.kind)!.connect(account, linkOf(row, aborter.signal));
      open.set(key, { version: versionOf(row), connection, aborter });
    } catch (error) {
      // Its token can't be opened, for one: that account's misfortune, and not the others'.
      log.error("an account can't be connected", { env_id: row.env_id, account: row.id, error });
      proofs.of({ env_id: row.env_id, account_id: row.id }).failed("The account's secrets can't be opened with this POSTHOUSE_SECRET.");
    }
  }

  function opened(row: ListeningRow): ConnectedAccount {
    const { env_id, id, username, telegram_id, place } = row;
    const session = secrets.openSession(row, row.session);
    return { env_id, id, username, telegram_id, place, token: secrets.openToken(row), proxy: secrets.openProxy(row), session };
  }

  function linkOf(row: ListeningRow, signal: AbortSignal): Link {
    const { env_id, id } = row;
    const place = { env_id, account_id: id };
    const prover = proofs.of(place);
    const whileOpen = (work: (tx: Tx) => Promise<void>) => {
      signal.throwIfAborted();
      return write(work);
    };
    return {
      async take(items, to) {
        try {
          await take(row, items, to, signal);
        } catch (error) {
          if (error instanceof Lost) lose(keyOf(row));
          throw error;
        }
      },
      proved: () => signal.aborted || prover.proved(),
      failed: (reason) => signal.aborted || prover.failed(reason),
      async refused(reason, final) {
        log.warn("Telegram no longer accepts an account", { env_id, account: id, reason });
        await insist(clock, signal, () => write((tx) => needs.disconnect(tx, env_id, id, reason, final)));
      },
      saveSession: (session) => whileOpen((tx) => store.saveSession(tx, place, secrets.sealSession(row, session))),
      peers: createPeerBook({ store, write: whileOpen, place }),
    };
  }

  /** Another process has it by now, or nobody. It is made anew once its lane is told to be this process's. */
  function lose(key: string): void {
    owned.delete(key);
    look();
  }

  async function close(key: string): Promise<void> {
    const ending = open.get(key);
    if (ending === undefined) return;
    ending.aborter.abort(new Error("the connection is closed"));
    await ending.connection.close().catch((error: unknown) => log.error("a connection could not be closed", { account: key, error }));
    open.delete(key);
  }

  return {
    name: "connections",
    async start() {
      started = true;
      look();
      await looking;
    },
    async stop() {
      started = false;
      cancelExpiry?.();
      await looking;
      await Promise.all([...open.keys()].map(close));
      await proofs.stop();
    },
    serve(accounts) {
      const keys = new Set(accounts.map(keyOf));
      const isSame = keys.size === owned.size && keys.isSubsetOf(owned);
      owned = keys;
      if (isShared) {
        cancelExpiry?.();
        cancelExpiry = clock.at(clock.now() + UNRENEWED_MS_MAX, () => {
          owned = new Set();
          look();
        });
      }
      if (!isSame) look();
    },
    look,
    async take(env_id, id, items) {
      const signal = AbortSignal.timeout(TAKEN_MS_MAX);
      try {
        await take({ env_id, id }, items, null, signal, true);
      } catch (error) {
        if (error instanceof Lost) throw notFound("account");
        throw signal.aborted ? new AppError("unavailable", "What has happened can't be kept now.", { cause: error }) : error;
      }
    },
    stats: () => ({ open: open.size }),
    async settled() {
      for (let current = looking; current !== undefined; current = looking) await current;
    },
  };
}

/** It has what its kind needs for connecting. */
const isReady = (row: ListeningRow) => row.token !== null || row.session !== null;

/** What a connection is made with. The session changes while it is open, by its own doing. */
const versionOf = ({ token, proxy, telegram_id, session }: ListeningRow) => JSON.stringify([token, proxy, telegram_id, session === null]);
