import { type Clock, parseTime, toTime } from "#src/core/clock.ts";
import { AppError, notFound } from "#src/core/errors.ts";
import { outcomes } from "#src/core/outcomes.ts";
import { mayUse, type Principal } from "#src/core/principal.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Channel, Obstacle } from "./channel.ts";
import { addressee, type Contacts } from "./contacts.ts";
import { type Estimator, limitsOf } from "./eta.ts";
import type { AskPreflight, Preflight, Reach } from "./preflight-model.ts";
import { aliasesOf, type Suppressions } from "./screening.ts";
import type { SendingAccount } from "./service.ts";
import type { MessageStore } from "./store.ts";

interface Needs<Row extends SendingAccount> {
  store: MessageStore;
  clock: Clock;
  channels: ReadonlyMap<string, Channel>;
  contacts: Pick<Contacts, "addresses" | "ownerOf">;
  suppressions: Suppressions;
  estimator: Pick<Estimator, "peek">;
  laneOf(account_id: number): string;
  accounts: {
    /** Those of these that are here, or the first of all, each with how it stands. */
    standing(tx: Tx, env_id: number, ids: readonly number[] | null): Promise<{ row: Row; shown: Account }[]>;
    budget: { usualGapMs(row: Row): number; quietEnd(row: Row, at: number): number | null };
  };
}

/** A message would not leave before this time (ms). */
interface Lateness {
  until: number;
  message: string;
}

interface Candidate<Row> {
  row: Row;
  shown: Account;
  channel: Channel;
  recipient: string;
}

export type PreflightService = ReturnType<typeof createPreflight>;

/** Tells who can reach a recipient, and when, without writing to them. */
export function createPreflight<Row extends SendingAccount>(needs: Needs<Row>) {
  const { store, clock, channels, contacts, suppressions, estimator, accounts, laneOf } = needs;

  /** Why the account can't reach them, as far as is known here. */
  async function obstacleOf(tx: Tx, { row, shown, channel, recipient }: Candidate<Row>): Promise<Obstacle | null> {
    if (shown.status === "paused") return { code: "account_paused", message: shown.status_reason ?? outcomes.account_paused };
    if (shown.status !== "connected" && shown.status !== "connecting")
      return { code: "account_unauthorized", message: shown.status_reason ?? `The account's status is ${shown.status}.` };
    const chats = await store.chatsOf(tx, row.env_id, row.id, [recipient]);
    const alias = aliasesOf(chats).get(recipient);
    const spellings = alias === undefined ? [recipient] : [recipient, alias];
    const isSuppressed = await suppressions.among(tx, row.env_id, spellings);
    if (spellings.some((spelling) => isSuppressed(channel.family, spelling))) return { code: "recipient_suppressed" };
    if (chats.some((chat) => chat.blocked_at !== null)) return { code: "recipient_blocked" };
    return channel.foresee?.(row, recipient, chats.length > 0) ?? null;
  }

  /** What keeps a message back that can be sent: today's caps, a restriction, a hold of the lane. */
  async function latenessOf(tx: Tx, { row, shown, recipient }: Candidate<Row>): Promise<Lateness | null> {
    const { budget, restricted_until, lane } = shown;
    const late: Lateness[] = [];
    const add = (until: string, message: string) => late.push({ until: parseTime(until)!, message });
    if (lane.held_until !== null) add(lane.held_until, lane.reason ?? "The account is told to wait.");
    if (budget !== null) {
      const isNew = !(await store.hasMet(tx, row.env_id, row.id, recipient));
      const isSpent = budget.remaining === 0 || (isNew && budget.new_peers_remaining === 0);
      if (isSpent) add(budget.resets_at, "The account has used its sends of today.");
      if (isNew && restricted_until !== null) add(restricted_until, "Telegram lets the account write to nobody new until then.");
    }
    return late.toSorted((a, b) => b.until - a.until)[0] ?? null;
  }

  async function reach(tx: Tx, candidate: Candidate<Row>): Promise<Reach> {
    const { row, channel, recipient, shown } = candidate;
    const about = { account_id: row.id, kind: shown.kind };
    const obstacle = await obstacleOf(tx, candidate);
    if (obstacle !== null) {
      const { code, message = outcomes[code], link = null } = obstacle;
      return { ...about, reachable: false, eta: null, reason: code, message, link };
    }
    const now = clock.now(row.env_id);
    const late = await latenessOf(tx, candidate);
    const accountLimits = limitsOf(channel, accounts.budget.usualGapMs(row));
    const place = { env_id: row.env_id, lane: laneOf(row.id), recipient, accountLimits, chatLimits: channel.chatLimits(recipient) };
    const paced = Math.max(await estimator.peek(tx, place, now), late?.until ?? 0);
    const eta = accounts.budget.quietEnd(row, paced) ?? paced;
    return { ...about, reachable: true, eta: toTime(eta), reason: null, message: late?.message ?? null, link: null };
  }

  /** @throws AppError as a send does */
  async function candidateOf(tx: Tx, { row, shown }: { row: Row; shown: Account }, to: string | number) {
    const channel = channels.get(row.kind)!;
    const { recipient, contact_id } = await addressee(tx, row.env_id, { channel, contacts, to });
    return { contact_id, candidate: { row, shown, channel, recipient } };
  }

  return {
    /**
     * Asks of each account whether it can reach a recipient. Nothing is sent, counted or asked of Telegram.
     * @throws AppError `not_found` for the contact or an account, `validation_error` on `to` where no account can address it
     */
    async preflight(tx: Tx, sender: Pick<Principal, "env_id" | "account_ids">, { to, account_ids }: AskPreflight): Promise<Preflight> {
      const asked = await accounts.standing(
        tx,
        sender.env_id,
        account_ids ?? (sender.account_ids === null ? null : [...sender.account_ids]),
      );
      const own = asked.filter(({ row }) => mayUse(sender, row.id));
      if (account_ids !== undefined && own.length < account_ids.length) throw notFound("account");
      let contact_id: string | null = null;
      const unaddressed: AppError[] = [];
      const reaches: Reach[] = [];
      for (const account of own) {
        try {
          const found = await candidateOf(tx, account, to);
          ({ contact_id } = found);
          reaches.push(await reach(tx, found.candidate));
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== "validation_error") throw error;
          unaddressed.push(error);
          const about = { account_id: account.row.id, kind: account.shown.kind };
          const message = "This account can't address such a recipient.";
          reaches.push({ ...about, reachable: false, eta: null, reason: "recipient_not_found", message, link: null });
        }
      }
      if (unaddressed.length > 0 && unaddressed.length === own.length) throw unaddressed[0]!;
      reaches.sort((a, b) => Number(b.reachable) - Number(a.reachable) || compare(a.eta, b.eta) || a.account_id - b.account_id);
      const best = reaches[0]?.reachable === true ? reaches[0].account_id : null;
      return { contact_id, best_account_id: best, accounts: reaches };
    },
  };
}

function compare(a: string | null, b: string | null): number {
  return (a ?? "") < (b ?? "") ? -1 : Number((a ?? "") > (b ?? ""));
}
