import type { Clock } from "#src/core/clock.ts";
import type { OutcomeCode } from "#src/core/outcomes.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Begun, Job, JobKind, Outcome, Ran, Rescued } from "#src/jobs/job.ts";
import { GAP_HOLD } from "#src/modules/accounts/model.ts";
import type { Inbound } from "#src/modules/connections/model.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { Channel, SendResult } from "./channel.ts";
import { createChatKeeper } from "./chats.ts";
import { keptContent, toKept } from "./kept-content.ts";
import type { MessageStatus } from "./model.ts";
import type { HearingAccount } from "./incoming.ts";
import type { OpenFiles } from "./opened.ts";
import { createPerformer, type Ready, type Result } from "./perform.ts";
import type { Contacts, ContactVariables } from "./contacts.ts";
import { hasVariables } from "./text.ts";
import { fail, judge, requeue } from "./outcome.ts";
import type { Outcomes } from "./outcomes.ts";
import { type Book, createRecorder, newBook, type PlacedThread } from "./recording.ts";
import type { Scoring } from "./scoring.ts";
import { aliasesOf, type Group, none, screen, type Suppressions } from "./screening.ts";
import { EXPIRE_JOB, SEND_JOB, type SendingAccount } from "./service.ts";
import { createSpending, type SendingAccounts } from "./spending.ts";
import type { MessageRow, MessageStore } from "./store.ts";
import type { Threads } from "./threads.ts";

interface Needs<Account extends SendingAccount> {
  store: MessageStore;
  clock: Clock;
  channels: ReadonlyMap<string, Channel>;
  accounts: SendingAccounts<Account>;
  suppressions: Suppressions;
  contacts: Contacts;
  scoring: Scoring;
  outcomes: Outcomes;
  files: OpenFiles;
  threads: Pick<Threads, "byIds" | "wrote">;
  /** `fail`, or `retry` where the workspace accepts doubles. */
  onUnknown(tx: Tx, env_id: number): Promise<string>;
  withdraw(tx: Tx, env_id: number, id: string): Promise<boolean>;
  laneOf(account_id: number): string;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  /** What people have done, as channels tell of it. */
  happened(tx: Tx, account: HearingAccount, items: readonly Inbound[]): Promise<unknown>;
}

/** Who has blocked a user account is not tried again for so long, unless they write: Telegram counts the attempts. */
const BLOCKED_MS = 7 * 86_400_000;

const nothing: ContactVariables = {};
const nobody: ReadonlyMap<string, ContactVariables> = new Map();

/** The jobs of messages: sending one, and ending one that was not sent in time. */
export function messageJobs<Account extends SendingAccount>(needs: Needs<Account>): JobKind[] {
  const { store, clock, channels, accounts, suppressions, contacts } = needs;
  const spending = createSpending({ store, clock, accounts });
  const { keepChat, keepBlocked } = createChatKeeper({ store, contacts });
  const { open, write, place, close } = createRecorder(needs);
  const perform = createPerformer({ clock, files: needs.files });

  /** It was never sent: what it took of a day's cap is given back. */
  async function endUnsent(tx: Tx, row: MessageRow, from: MessageStatus, code: OutcomeCode, book: Book): Promise<Outcome> {
    const { env_id, account_id, cap_day } = row;
    if (cap_day !== null && account_id !== null) await accounts.budget.giveBack(tx, env_id, account_id, cap_day);
    return write(tx, fail({ ...row, cap_day: null, updated_at: clock.now(env_id) }, code, null, null), from, book);
  }

  /** @returns those that are queued still; what goes over a network is marked as being on the wire */
  async function claim(tx: Tx, env_id: number, jobs: Job[]): Promise<MessageRow[]> {
    const { leaving = [], staying = [] } = Object.groupBy(jobs, (job) => (channelOf(job).usesNetwork ? "leaving" : "staying"));
    const ids = (some: Job[]) => some.map((job) => job.id);
    const marked = leaving.length === 0 ? [] : await store.markSending(tx, env_id, ids(leaving), clock.now(env_id));
    const left = staying.length === 0 ? [] : await store.queued(tx, env_id, ids(staying));
    return [...marked, ...left];
  }

  async function beginOne(
    tx: Tx,
    row: MessageRow,
    group: Group<Account>,
    facts: { suppressed: boolean; contact: ContactVariables; thread: PlacedThread | null },
    book: Book,
  ): Promise<Begun<Ready>> {
    const { account, channel, aliases } = group;
    const { thread } = facts;
    const now = clock.now(row.env_id);
    const from = row.status as MessageStatus;
    if (account.deleted_at !== null)
      return { outcome: await write(tx, fail(row, "account_unauthorized", "The account was removed.", null), from, book) };
    if (row.expires_at !== null && row.expires_at <= now) return { outcome: await endUnsent(tx, row, from, "expired", book) };
    if (facts.suppressed) return { outcome: await endUnsent(tx, row, from, "recipient_suppressed", book) };
    if (channel.oneAtATime === true && (await store.isBlocked(tx, row.env_id, account.id, row.recipient, now - BLOCKED_MS)))
      return { outcome: await endUnsent(tx, row, from, "recipient_blocked", book) };
    const counted = accounts.budget.isUnbounded(account) ? row : await spending.spend(tx, row, account);
    if (!("status" in counted)) return { outcome: await write(tx, counted, from, book) };
    const { env_id, id, username } = account;
    return {
      ready: {
        row: counted,
        gap_ms: accounts.budget.gapMs(account),
        from,
        channel,
        account: { env_id, id, username, token: accounts.openToken(account) },
        contact: facts.contact,
        thread,
        chat_id: thread?.chat_id ?? (row.recipient.startsWith("@") ? (aliases.get(row.recipient) ?? null) : null),
        reply_to: row.reply_to?.startsWith("msg_") === true ? await remoteIdOf(tx, env_id, row.reply_to) : row.reply_to,
      },
    };
  }

  async function remoteIdOf(tx: Tx, env_id: number, id: string): Promise<string | null> {
    return (await store.get(tx, env_id, id))?.remote_id ?? null;
  }

  /** Only of those whose text asks for something. */
  async function contactsOf(tx: Tx, env_id: number, rows: MessageRow[]): Promise<ReadonlyMap<string, ContactVariables>> {
    const ids = rows.filter((row) => row.contact_id !== null && hasVariables(row.text)).map((row) => row.contact_id!);
    return ids.length === 0 ? nobody : contacts.variables(tx, env_id, ids);
  }

  /** @param withNames whether it matters too what the chat of a numeric id is called */
  async function gather(tx: Tx, env_id: number, rows: MessageRow[], withNames: boolean): Promise<Map<number, Group<Account>>> {
    const groups = new Map<number, Group<Account>>();
    const hasChats = await store.hasChats(tx, env_id);
    for (const [account_id, ofAccount] of Map.groupBy(rows, (row) => row.account_id)) {
      if (account_id === null) continue;
      const account = (await accounts.row(tx, env_id, account_id))!;
      const channel = channels.get(account.kind)!;
      const recipients = ofAccount.map((row) => row.recipient);
      const named = channel.remembersChats ? recipients.filter((to) => to.startsWith("@")) : [];
      const asked = withNames ? recipients : named;
      const aliases = asked.length === 0 || !hasChats ? none : aliasesOf(await store.chatsOf(tx, env_id, account_id, asked));
      groups.set(account_id, { account, channel, rows: ofAccount, aliases });
    }
    return groups;
  }

  /** Where people are played, what they did with the message happens with its end. */
  async function tellPlayed(tx: Tx, { account, channel }: Ready, result: SendResult): Promise<void> {
    if (result.kind !== "sent" || result.happened === undefined) return;
    const { env_id, id, username } = account;
    await needs.happened(tx, { env_id, id, username, kind: channel.kind }, result.happened);
  }

  const send: JobKind<Ready, Result> = {
    kind: SEND_JOB,
    laneLimits: (job) => channelOf(job).accountLimits,
    chatLimits: (job) => channelOf(job).chatLimits(job.chat!),
    laneRunningMax: (job) => (channelOf(job).oneAtATime === true ? 1 : Number.POSITIVE_INFINITY),

    async begin(tx, jobs) {
      const env_id = jobs[0]!.env_id;
      const claimed = await claim(tx, env_id, jobs);
      const mayBeSuppressed = await suppressions.any(tx, env_id);
      const rows = new Map(claimed.map((row) => [row.id, row]));
      const groups = await gather(tx, env_id, claimed, mayBeSuppressed);
      const isSuppressed = mayBeSuppressed ? await screen(tx, env_id, [...groups.values()], suppressions) : () => false;
      const known = await contactsOf(tx, env_id, claimed);
      const begun: Begun<Ready>[] = [];
      const book = await open(tx, claimed);
      for (const job of jobs) {
        const row = rows.get(job.id);
        const group = row === undefined ? undefined : groups.get(row.account_id ?? 0);
        if (row === undefined || group === undefined) begun.push(null);
        else {
          const contact = known.get(row.contact_id ?? "") ?? nothing;
          const thread = book.threads.get(row.thread_id ?? "") ?? null;
          begun.push(await beginOne(tx, row, group, { suppressed: isSuppressed(row, group), contact, thread }, book));
        }
      }
      await close(tx, book);
      return begun;
    },

    async run(ready, signal) {
      const started_at = clock.now(ready.account.env_id);
      try {
        return await perform(ready, signal);
      } catch {
        // A channel never throws; should it, nobody knows how far it got. The error may hold the text: it is not kept.
        const result: SendResult = { kind: "unknown", reason: "the channel failed in a way that it does not expect" };
        return { result, text: ready.row.text, started_at, ended_at: clock.now(ready.account.env_id), chat: null };
      }
    },

    async end(tx, runs: Ran<Ready, Result>[]) {
      const outcomes: Outcome[] = [];
      const book = newBook();
      const threads = await place(tx, runs, book);
      for (const { job, ready, result } of runs) {
        const { kind } = result.result;
        const mayRepeat = kind === "unknown" && (await needs.onUnknown(tx, job.env_id)) === "retry";
        const verdict = judge(ready.row, result, job.attempts, mayRepeat);
        await spending.tellAccount(tx, ready.account, result.result);
        const { row } = verdict;
        row.thread_id ??= threads.get(row.id) ?? null;
        if (result.chat !== null) await keepChat(tx, ready.account, result.chat, result.ended_at);
        if (row.error_code === "recipient_blocked") keepBlocked(tx, ready.account, { ...row, chat_id: ready.chat_id }, result.ended_at);
        if (ready.thread !== null) book.threads.set(ready.thread.id, ready.thread);
        const outcome = await write(tx, verdict, ready.from, book);
        const { others = [] } = result.result.kind === "sent" ? result.result : {};
        if (others.length > 0) store.revise(tx, { ...row, content: toKept({ ...keptContent(row), others }) });
        await tellPlayed(tx, ready, result.result);
        const isOver = outcome.kind === "done" || outcome.kind === "discard";
        outcomes.push(isOver && ready.gap_ms > 0 ? { ...outcome, rest: { ms: ready.gap_ms, reason: GAP_HOLD } } : outcome);
      }
      await close(tx, book);
      return outcomes;
    },

    async giveUp(tx, { env_id, id }) {
      const row = await store.lock(tx, env_id, id);
      if (row?.status !== "queued") return { kind: "discard", code: "internal_error" };
      const book = await open(tx, [row]);
      const outcome = await write(tx, fail({ ...row, updated_at: clock.now(env_id) }, "internal_error", null, null), "queued", book);
      await close(tx, book);
      return outcome;
    },

    async rescue(tx, env_id, lane) {
      const rescued: Rescued[] = [];
      const rows = await store.sending(tx, env_id);
      const book = await open(tx, rows);
      for (const row of rows) {
        if (row.account_id === null || needs.laneOf(row.account_id) !== lane) continue;
        const account = (await accounts.row(tx, env_id, row.account_id))!;
        const repeat = channelOf({ payload: account.kind }).resendable || (await needs.onUnknown(tx, env_id)) === "retry";
        const now = { ...row, updated_at: clock.now(env_id) };
        const verdict = repeat
          ? requeue(now, "the program broke off", { kind: "snooze", ms: 0, reason: "" })
          : fail(now, "outcome_unknown", null, null);
        rescued.push({ id: row.id, outcome: await write(tx, verdict, "sending", book) });
      }
      await close(tx, book);
      return rescued;
    },
  };

  /** An account's kind never changes, and the jobs of its messages carry it. */
  function channelOf({ payload: kind }: Pick<Job, "payload">): Channel {
    const channel = channels.get(kind);
    if (channel === undefined) throw new Error(`there is no channel for accounts of the kind ${kind}`);
    return channel;
  }

  const expiry: JobKind<never, never> = {
    kind: EXPIRE_JOB,
    laneLimits: () => [],
    chatLimits: () => [],
    async begin(tx, jobs) {
      const begun: Begun<never>[] = [];
      for (const { env_id, payload: id } of jobs) {
        const row = await store.lock(tx, env_id, id);
        if (row?.status === "queued" && (await needs.withdraw(tx, env_id, id))) {
          const book = await open(tx, [row]);
          await endUnsent(tx, row, "queued", "expired", book);
          await close(tx, book);
        }
        begun.push({ outcome: { kind: "done" } });
      }
      return begun;
    },
    run: () => Promise.reject(new Error("expiring a message has nothing to run")),
    end: () => [],
  };

  return [send, expiry];
}
