import { backoffMs } from "#src/core/backoff.ts";
import type { Clock } from "#src/core/clock.ts";
import { outcomes } from "#src/core/outcomes.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Begun, Job, JobKind, Outcome, Ran } from "#src/jobs/job.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { ChangeStore } from "./changed-sql.ts";
import { type ChangeKind, DELETE_JOB, EDIT_JOB, messageOf } from "./changing.ts";
import type { Channel, ChannelAccount, DoneResult, Refusal } from "./channel.ts";
import type { Contacts, ContactVariables } from "./contacts.ts";
import { keptContent, type Pending, toKept, withMarkup } from "./kept-content.ts";
import { presentMessage } from "./present.ts";
import { resolveRevision } from "./revision.ts";
import { createSpending, type SendingAccounts } from "./spending.ts";
import type { SendingAccount } from "./service.ts";
import type { MessageRow, MessageStore } from "./store.ts";
import type { ThreadsOf } from "./thread-of.ts";

const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 60_000;

interface Needs<Account extends SendingAccount> {
  store: MessageStore;
  changes: ChangeStore;
  clock: Clock;
  channels: ReadonlyMap<string, Channel>;
  accounts: SendingAccounts<Account>;
  contacts: Pick<Contacts, "variables">;
  threadOf: ThreadsOf;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
}

interface Ready {
  row: MessageRow;
  channel: Channel;
  account: ChannelAccount;
  chat_id: string | null;
  contact: ContactVariables;
  /** Null where it is to be deleted. */
  pending: Pending | null;
}

interface Result {
  result: DoneResult;
  /** What the message says now. */
  text: string;
}

const nothing: ContactVariables = {};

/** What was asked for meanwhile comes next. */
const again: Outcome = { kind: "snooze", ms: 0, reason: "changed again" };

/** Whether another change was asked for while this one was made. @param made null where the message was deleted */
function isSuperseded(row: MessageRow, made: Pending | null): boolean {
  const { pending } = keptContent(row);
  return made !== null && pending !== undefined && JSON.stringify(pending) !== JSON.stringify(made);
}

/** The jobs that change what was sent: in the account's lane, and in order with the other messages of the chat. */
export function changeJobs<Account extends SendingAccount>(needs: Needs<Account>): JobKind[] {
  return [changeJob(EDIT_JOB, needs), changeJob(DELETE_JOB, needs)];
}

function changeJob<Account extends SendingAccount>(kind: ChangeKind, needs: Needs<Account>): JobKind<Ready, Result> {
  const { store, changes, clock, channels, accounts, contacts } = needs;
  const spending = createSpending({ store, clock, accounts });
  const channelOf = ({ payload }: Pick<Job, "payload">) => channels.get(payload)!;

  async function beginOne(tx: Tx, job: Job): Promise<Begun<Ready>> {
    const row = await store.lock(tx, job.env_id, messageOf(job.id));
    const { pending, leaving } = row === undefined ? {} : keptContent(row);
    // Deleted or erased in the meantime.
    if (row === undefined || row.deleted_at !== null || row.remote_id === null || (kind === EDIT_JOB ? pending : leaving) === undefined)
      return { outcome: { kind: "done" } };
    const { env_id, recipient } = row;
    const account = (await accounts.row(tx, env_id, row.account_id!))!;
    if (account.deleted_at !== null) return { outcome: await refuse(tx, row, "The account was removed.") };
    const chats = recipient.startsWith("@") ? await store.chatsOf(tx, env_id, account.id, [recipient]) : [];
    const known =
      row.contact_id === null || pending?.text === undefined ? undefined : await contacts.variables(tx, env_id, [row.contact_id]);
    return {
      ready: {
        row,
        channel: channelOf(job),
        account: { env_id, id: account.id, username: account.username, token: accounts.openToken(account) },
        chat_id: row.chat_id ?? chats[0]?.chat_id ?? null,
        contact: known?.get(row.contact_id!) ?? nothing,
        pending: kind === EDIT_JOB ? pending! : null,
      },
    };
  }

  async function perform({ row, channel, account, chat_id, contact, pending }: Ready, signal: AbortSignal): Promise<Result> {
    const sent = { recipient: row.recipient, chat_id, remote_id: row.remote_id!, others: keptContent(row).others ?? [] };
    if (pending === null) return { result: await channel.remove!(account, sent, signal), text: row.text };
    const resolved = await resolveRevision({ row, channel, account, chat_id, contact, pending }, signal);
    if (resolved.kind !== "revision") return { result: resolved, text: row.text };
    const { revision } = resolved;
    return { result: await channel.edit!(account, sent, revision, signal), text: revision.text };
  }

  /** It stays as it is: `last_error` says why. */
  async function refuse(tx: Tx, row: MessageRow, reason: string): Promise<Outcome> {
    const { pending, leaving, ...rest } = keptContent(row);
    const other =
      kind === EDIT_JOB
        ? { ...rest, ...(leaving === undefined ? {} : { leaving }) }
        : { ...rest, ...(pending === undefined ? {} : { pending }) };
    await changes.keep(tx, { ...row, content: toKept(other), last_error: reason, updated_at: clock.now(row.env_id) });
    return { kind: "discard", code: "message_rejected" };
  }

  async function record(tx: Tx, row: MessageRow, { pending: made }: Ready, text: string): Promise<Outcome> {
    const now = clock.now(row.env_id);
    const { pending, ...content } = keptContent(row);
    const isNewest = !isSuperseded(row, made);
    const changed = made === null ? content : withMarkup(content, made.parse_mode, made.buttons);
    const { leaving: _leaving, ...left } = changed;
    const next = made === null ? left : isNewest ? changed : { ...changed, pending: pending! };
    const times = made === null ? { deleted_at: now } : { edited_at: now };
    const after = { ...row, text, content: toKept(next), last_error: null, updated_at: now, ...times };
    await changes.keep(tx, after);
    const data = { ...presentMessage(after), thread: await needs.threadOf(tx, after) };
    needs.appendEvent(tx, row.env_id, { type: made === null ? "message.deleted" : "message.edited", subject: row.id, actor: "job", data });
    return isNewest ? { kind: "done" } : again;
  }

  /** Once Telegram, or the account, lets it. */
  function wait(refusal: Exclude<Refusal, { kind: "failed" | "restricted" }>, attempts: number): Outcome {
    switch (refusal.kind) {
      case "hold":
        return { kind: "snooze", ms: refusal.ms, reason: refusal.reason };
      case "hold_chat":
        return { kind: "snooze_chat", ms: refusal.ms, reason: refusal.reason };
      case "pause":
      case "unauthorized":
        return { kind: "stop", reason: refusal.reason };
      case "unreached":
      case "unknown":
        // To do it twice is to do it once.
        return { kind: "retry", ms: backoffMs(attempts + 1, RETRY_BASE_MS, RETRY_MAX_MS), reason: refusal.reason };
      default:
        return refusal satisfies never;
    }
  }

  async function endOne(tx: Tx, { job, ready, result: { result, text } }: Ran<Ready, Result>): Promise<Outcome> {
    const row = await store.lock(tx, job.env_id, ready.row.id);
    // Erased while it was under way.
    if (row === undefined || row.remote_id === null) return { kind: "done" };
    if (result.kind === "done") return record(tx, row, ready, text);
    await spending.tellAccount(tx, ready.account, result);
    const isOver = result.kind === "failed" || result.kind === "restricted";
    const reason = result.kind === "failed" ? result.message : result.reason;
    if (isOver && !isSuperseded(row, ready.pending)) return refuse(tx, row, reason);
    await changes.keep(tx, { ...row, last_error: reason, updated_at: clock.now(row.env_id) });
    return isOver ? again : wait(result, job.attempts);
  }

  return {
    kind,
    laneLimits: (job) => channelOf(job).accountLimits,
    chatLimits: (job) => channelOf(job).chatLimits(job.chat!),
    laneRunningMax: (job) => (channelOf(job).oneAtATime === true ? 1 : Number.POSITIVE_INFINITY),
    async begin(tx, jobs) {
      const begun: Begun<Ready>[] = [];
      for (const job of jobs) begun.push(await beginOne(tx, job));
      return begun;
    },
    async run(ready, signal) {
      try {
        return await perform(ready, signal);
      } catch {
        // A channel never throws; should it, the error may hold the text: it is not kept.
        return { result: { kind: "unknown", reason: "the channel failed in a way that it does not expect" }, text: ready.row.text };
      }
    },
    async end(tx, runs) {
      const ended: Outcome[] = [];
      for (const run of runs) ended.push(await endOne(tx, run));
      return ended;
    },
    async giveUp(tx, { env_id, id }) {
      const row = await store.lock(tx, env_id, messageOf(id));
      return row === undefined ? { kind: "discard", code: "internal_error" } : refuse(tx, row, outcomes.internal_error);
    },
  };
}
