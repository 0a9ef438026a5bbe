import type { Clock } from "#src/core/clock.ts";
import type { OutcomeCode } from "#src/core/outcomes.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Begun, Job, JobKind, Outcome, Ran, Rescued } from "#src/jobs/job.ts";
import { DAILY_CAP_HOLD } from "#src/modules/accounts/model.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { Channel, ChannelAccount, ChatFacts, SendResult } from "./channel.ts";
import { createChatKeeper } from "./chats.ts";
import type { MessageStatus } from "./model.ts";
import type { Contacts, ContactVariables } from "./contacts.ts";
import { faultOfText, hasVariables, needsProfile, resolveText } from "./text.ts";
import { fail, judge, requeue, type Tried } from "./outcome.ts";
import { type Book, createRecorder, newBook, type PlacedThread } from "./recording.ts";
import type { Scoring } from "./scoring.ts";
import { aliasesOf, type Group, none, screen, type Suppressions } from "./screening.ts";
import { type Accounts, EXPIRE_JOB, SEND_JOB, type SendingAccount } from "./service.ts";
import type { MessageRow, MessageStore } from "./store.ts";
import type { Threads } from "./threads.ts";

/** What sending needs beyond accepting. */
interface SendingAccounts<Account extends SendingAccount> extends Accounts<Account> {
  openToken(account: Account): string | null;
  disconnect(tx: Tx, env_id: number, id: number, reason: string): Promise<void>;
}

interface Needs<Account extends SendingAccount> {
  store: MessageStore;
  clock: Clock;
  channels: ReadonlyMap<string, Channel>;
  accounts: SendingAccounts<Account>;
  suppressions: Suppressions;
  contacts: Contacts;
  scoring: Scoring;
  threads: Pick<Threads, "byIds" | "wrote">;
  /** `fail`, or `retry` where the workspace accepts doubles. */
  onUnknown(tx: Tx, env_id: number): Promise<string>;
  withdraw(tx: Tx, env_id: number, id: string): Promise<boolean>;
  laneOf(account_id: number): string;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
}

interface Ready {
  row: MessageRow;
  /** The state that it is in meanwhile: `sending`, or `queued` where nothing leaves the process and a crash undoes all of it. */
  from: MessageStatus;
  channel: Channel;
  account: ChannelAccount;
  chat_id: string | null;
  /** The one that it was written in. */
  thread: PlacedThread | null;
  /** What is known of the contact, where the text asks for something. */
  contact: ContactVariables;
  /** The channel's id of the message that is answered. */
  reply_to: string | null;
}

interface Result extends Tried {
  chat: ChatFacts | null;
}

const nothing: ContactVariables = {};
const nobody: ReadonlyMap<string, ContactVariables> = new Map();

/** The jobs of messages: sending one, and ending one that was not sent in time. */
export function messageJobs<Account extends SendingAccount>(needs: Needs<Account>): JobKind[] {
  const { store, clock, channels, accounts, suppressions, contacts } = needs;
  const { keepChat, keepBlocked } = createChatKeeper({ store, contacts });
  const { open, write, place, close } = createRecorder(needs);

  /** It was never sent: what it took of a day's cap is given back. */
  async function endUnsent(tx: Tx, row: MessageRow, from: MessageStatus, code: OutcomeCode, book: Book): Promise<Outcome> {
    const { env_id, account_id, cap_day } = row;
    if (cap_day !== null && account_id !== null) await accounts.giveBackSend(tx, env_id, account_id, cap_day);
    return write(tx, fail({ ...row, cap_day: null, updated_at: clock.now() }, code, null, null), from, book);
  }

  /** @returns those that are queued still; what goes over a network is marked as being on the wire */
  async function claim(tx: Tx, env_id: number, jobs: Job[]): Promise<MessageRow[]> {
    const { leaving = [], staying = [] } = Object.groupBy(jobs, (job) => (channelOf(job).usesNetwork ? "leaving" : "staying"));
    const ids = (some: Job[]) => some.map((job) => job.id);
    const marked = leaving.length === 0 ? [] : await store.markSending(tx, env_id, ids(leaving), clock.now());
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
    const now = clock.now();
    const from = row.status as MessageStatus;
    if (account.deleted_at !== null)
      return { outcome: await write(tx, fail(row, "account_unauthorized", "The account was removed.", null), from, book) };
    if (row.expires_at !== null && row.expires_at <= now) return { outcome: await endUnsent(tx, row, from, "expired", book) };
    if (facts.suppressed) return { outcome: await endUnsent(tx, row, from, "recipient_suppressed", book) };
    let capped = row;
    if (account.daily_cap !== null && row.cap_day === null) {
      const taken = await accounts.takeSend(tx, account);
      const wait = taken === null || taken.fits ? null : taken.limit.resets_at - now;
      if (wait !== null)
        return {
          outcome: await write(tx, requeue(row, DAILY_CAP_HOLD, { kind: "snooze", ms: wait, reason: DAILY_CAP_HOLD }), from, book),
        };
      capped = { ...row, cap_day: taken?.limit.day ?? null };
      await store.record(tx, capped, from);
    }
    const { env_id, id, username } = account;
    return {
      ready: {
        row: capped,
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

  async function perform({ row, channel, account, chat_id, thread, contact, reply_to }: Ready, signal: AbortSignal): Promise<Result> {
    const started_at = clock.now();
    let chat: ChatFacts | null = null;
    const done = (result: SendResult, text = row.text): Result => ({ result, text, started_at, ended_at: clock.now(), chat });
    let profile = null;
    if (needsProfile(row.text, contact)) {
      const answer = await channel.profile(account, { recipient: row.recipient, chat_id }, signal);
      // Asking for a name changes nothing: when its answer is lost, it is asked again.
      if (answer.kind === "unknown") return done({ kind: "unreached", reason: answer.reason });
      if (answer.kind !== "profile") return done(answer);
      ({ profile, chat } = answer);
    }
    const resolved = resolveText(row.text, contact, profile);
    if ("missing" in resolved)
      return done({
        kind: "failed",
        code: "variable_missing",
        message: `{${resolved.missing}} has neither a value nor a fallback.`,
        link: null,
      });
    const { text } = resolved;
    const fault = faultOfText(text);
    if (fault !== null) return done({ kind: "failed", code: "message_rejected", message: fault, link: null });
    const { id, recipient } = row;
    const plain = { topic_id: thread?.topic_id ?? null, parse_mode: null, files: [], buttons: [] };
    const result = await channel.send(account, { id, recipient, chat_id, text, silent: row.silent === 1, reply_to, ...plain }, signal);
    if (result.kind === "sent") chat = result.chat ?? chat;
    return done(result, text);
  }

  const send: JobKind<Ready, Result> = {
    kind: SEND_JOB,
    laneLimits: (job) => channelOf(job).accountLimits,
    chatLimits: (job) => channelOf(job).chatLimits(job.chat!),

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
      const started_at = clock.now();
      try {
        return await perform(ready, signal);
      } catch {
        // A channel never throws; should it, nobody knows how far it got. The error may hold the text: it is not kept.
        const result: SendResult = { kind: "unknown", reason: "the channel failed in a way that it does not expect" };
        return { result, text: ready.row.text, started_at, ended_at: clock.now(), chat: null };
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
        const { row } = verdict;
        row.thread_id ??= threads.get(row.id) ?? null;
        if (result.result.kind === "unauthorized") await accounts.disconnect(tx, job.env_id, ready.account.id, result.result.reason);
        if (result.chat !== null) await keepChat(tx, ready.account, result.chat, result.ended_at);
        if (row.error_code === "recipient_blocked") keepBlocked(tx, ready.account, { ...row, chat_id: ready.chat_id }, result.ended_at);
        if (ready.thread !== null) book.threads.set(ready.thread.id, ready.thread);
        outcomes.push(await write(tx, verdict, ready.from, book));
      }
      await close(tx, book);
      return outcomes;
    },

    async giveUp(tx, { env_id, id }) {
      const row = await store.lock(tx, env_id, id);
      if (row?.status !== "queued") return { kind: "discard", code: "internal_error" };
      const book = await open(tx, [row]);
      const outcome = await write(tx, fail({ ...row, updated_at: clock.now() }, "internal_error", null, null), "queued", book);
      await close(tx, book);
      return outcome;
    },

    async rescue(tx, env_id, lane) {
      const rescued: Rescued[] = [];
      const rows = await store.sending(tx, env_id);
      const book = await open(tx, rows);
      for (const row of rows) {
        if (row.account_id === null || needs.laneOf(row.account_id) !== lane) continue;
        const repeat = channelNamed(row.channel).resendable || (await needs.onUnknown(tx, env_id)) === "retry";
        const now = { ...row, updated_at: clock.now() };
        const verdict = repeat
          ? requeue(now, "the program broke off", { kind: "snooze", ms: 0, reason: "" })
          : fail(now, "outcome_unknown", null, null);
        rescued.push({ id: row.id, outcome: await write(tx, verdict, "sending", book) });
      }
      await close(tx, book);
      return rescued;
    },
  };

  /** A message's channel never changes, and its job carries it. */
  const channelOf = (job: Job) => channelNamed(job.payload);

  function channelNamed(name: string): Channel {
    for (const channel of channels.values()) if (channel.name === name) return channel;
    throw new Error(`there is no channel ${name}`);
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
