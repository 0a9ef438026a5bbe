import type { Clock } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import type { Precondition } from "#src/core/etag.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import { mayUse } from "#src/core/principal.ts";
import { readTime } from "#src/core/time-field.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Enqueue } from "#src/jobs/job.ts";
import type { EventType, NewEvent } from "#src/modules/events/model.ts";
import { type CapLeft, capReached } from "./cap.ts";
import type { Channel } from "./channel.ts";
import { readText, readTiming, type Templates, type Timing } from "./compose.ts";
import { addressee, type Contacts } from "./contacts.ts";
import { checkButtonsAllowed, isPlain, type KnownFiles, readEnclosures } from "./enclosures.ts";
import { type Estimator, limitsOf } from "./eta.ts";
import { relinkButtons, relinkText } from "./linking.ts";
import type { BatchAnswer, Message, MessageFilter, SendBatch, SendMessage, Sent } from "./model.ts";
import { type Making, newRow, type Sender } from "./new-row.ts";
import { endedOf, type Outcomes } from "./outcomes.ts";
import { presentInThread, presentMessage, presentSent } from "./present.ts";
import type { MessageRow, MessageStore, Narrowed } from "./store.ts";
import type { Threads } from "./threads.ts";

/** What messages need to know of an account. */
export interface SendingAccount {
  env_id: number;
  id: number;
  kind: string;
  username: string | null;
  paused: number;
  deleted_at: number | null;
  daily_cap: number | null;
  new_peer_daily_cap: number | null;
}

/** The verbs that messages use of accounts. */
export interface Accounts<Account extends SendingAccount = SendingAccount> {
  row(tx: Tx | null, env_id: number, id: number): Maybe<Account | undefined>;
  budget: {
    take(tx: Tx, account: Account, isNew: boolean): Promise<{ fits: boolean; limit: CapLeft; ofNew: boolean } | null>;
    giveBack(tx: Tx, env_id: number, id: number, place: string): Promise<void>;
    mindsNewPeers(account: Account): boolean;
    usualGapMs(account: Account): number;
    quietEnd(account: Account, at: number): number | null;
  };
}

export interface Needs<Account extends SendingAccount> {
  store: MessageStore;
  clock: Clock;
  channels: ReadonlyMap<string, Channel>;
  accounts: Accounts<Account>;
  contacts: Pick<Contacts, "addresses" | "ownerOf">;
  estimator: Estimator;
  laneOf(account_id: number): string;
  enqueue: Enqueue;
  /** Takes a waiting job out of the queue; false when it runs or is gone. */
  withdraw(tx: Tx, env_id: number, id: string): Promise<boolean>;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  threads: Pick<Threads, "byIds">;
  templates: Templates;
  files: KnownFiles;
  outcomes: Outcomes;
}

export const SEND_JOB = "messages.send";
export const EXPIRE_JOB = "messages.expire";

/** The sending job has its message's id; the one that ends it at its `expires_at` has this. */
const expireJobId = (message_id: string) => `${message_id}.expire`;

export type MessageService = ReturnType<typeof createMessageService>;

export function createMessageService<Account extends SendingAccount>(needs: Needs<Account>) {
  const { store, clock, channels, accounts, contacts, estimator, laneOf } = needs;
  const { budget } = accounts;

  async function findAccount(tx: Tx, sender: Sender, id: number): Promise<{ account: Account; channel: Channel }> {
    const account = await accounts.row(tx, sender.env_id, id);
    if (account === undefined || account.deleted_at !== null || !mayUse(sender, id)) throw notFound("account");
    return { account, channel: channels.get(account.kind)! };
  }

  async function checkReply(tx: Tx, env_id: number, account_id: number, reply_to: string | undefined): Promise<void> {
    if (reply_to === undefined || /^\d{1,15}$/.test(reply_to)) return;
    const row = reply_to.startsWith("msg_") ? await store.get(tx, env_id, reply_to) : undefined;
    if (row === undefined || row.account_id !== account_id)
      throw invalidField(
        "reply_to",
        "not_found",
        "reply_to names no message of this account: give its id (msg_…) or Telegram's message id.",
        reply_to,
      );
  }

  /** @returns the day on which the send counts, and what is left of it */
  async function takeCap(tx: Tx, account: Account, recipient: string, timing: Timing): Promise<CapLeft | null> {
    // Scheduled sends wait for a day with room when their time comes.
    if ((account.daily_cap === null && account.new_peer_daily_cap === null) || timing.schedule_at !== null) return null;
    const isNew = budget.mindsNewPeers(account) && !(await store.hasMet(tx, account.env_id, account.id, recipient));
    const taken = await budget.take(tx, account, isNew);
    if (taken !== null && !taken.fits) throw capReached(taken.limit, clock.now(account.env_id), taken.ofNew);
    return taken?.limit ?? null;
  }

  async function event(tx: Tx, row: MessageRow, type: EventType, actor: string): Promise<void> {
    const thread = row.thread_id === null ? undefined : (await needs.threads.byIds(tx, row.env_id, [row.thread_id])).get(row.thread_id);
    needs.appendEvent(tx, row.env_id, { type, subject: row.id, actor, data: presentInThread(row, thread ?? null) });
  }

  async function send(
    tx: Tx,
    sender: Sender,
    asked: SendMessage,
    { thread_id = null, origin = null, relink }: Making = {},
  ): Promise<{ sent: Sent; cap: CapLeft | null }> {
    const { env_id } = sender;
    const ask = relink === undefined ? asked : relinkButtons(asked, relink);
    const now = clock.now(env_id);
    const timing = readTiming(ask, now);
    const { account, channel } = await findAccount(tx, sender, ask.account_id);
    const to = await addressee(tx, env_id, { channel, contacts, to: ask.to });
    const { recipient } = to;
    const composed = readText(needs.templates, tx, env_id, ask, to.contact_id);
    // A send by a text doesn't wait for anybody here.
    const plain = typeof composed === "string" ? composed : await composed;
    const text = relink === undefined ? plain : relinkText(plain, ask, relink);
    const content = isPlain(ask) ? null : await readEnclosures(needs.files, tx, env_id, ask, timing.run_at);
    checkButtonsAllowed(channel, ask.buttons);
    await checkReply(tx, env_id, account.id, ask.reply_to);
    if (channel.refuse?.(recipient) === "daily_send_limit_reached")
      throw capReached({ limit: 50, remaining: 0, resets_at: now + 3_600_000, place: "" }, now, false);
    // What is sent by itself waits for a day with room, as scheduled sends do.
    const cap = origin === null ? await takeCap(tx, account, recipient, timing) : null;

    const place = {
      env_id,
      lane: laneOf(account.id),
      recipient,
      accountLimits: limitsOf(channel, budget.usualGapMs(account)),
      chatLimits: channel.chatLimits(recipient),
    };
    const paced = await estimator.next(tx, place, timing.run_at, now);
    const eta = budget.quietEnd(account, paced) ?? paced;
    const row = newRow(sender, ask, { text, content, channel, to, timing, eta, cap_day: cap?.place ?? null, thread_id, origin, now });
    store.insert(tx, row);
    const job = {
      env_id,
      id: row.id,
      kind: SEND_JOB,
      lane: place.lane,
      chat: recipient,
      run_at: timing.run_at,
      payload: channel.kind,
      eta,
    };
    needs.enqueue(tx, job);
    if (timing.expires_at !== null)
      needs.enqueue(tx, {
        ...job,
        id: expireJobId(row.id),
        kind: EXPIRE_JOB,
        lane: null,
        chat: null,
        run_at: timing.expires_at,
        payload: row.id,
      });
    await event(tx, row, "message.queued", sender.key_id);
    return { sent: presentSent(row), cap };
  }

  /** @returns what the message is then; null when it is no longer queued */
  async function withdraw(tx: Tx, row: MessageRow, actor: string): Promise<MessageRow | null> {
    if (row.status !== "queued" || !(await needs.withdraw(tx, row.env_id, row.id))) return null;
    await needs.withdraw(tx, row.env_id, expireJobId(row.id));
    if (row.cap_day !== null && row.account_id !== null) await budget.giveBack(tx, row.env_id, row.account_id, row.cap_day);
    const canceled = { ...row, status: "canceled", cap_day: null, updated_at: clock.now(row.env_id) };
    await store.record(tx, canceled, "queued");
    await event(tx, canceled, "message.canceled", actor);
    return canceled;
  }

  return {
    /**
     * Queues a message.
     * @returns what the client is told, and what is left of the account's daily cap
     * @throws AppError `validation_error`, `not_found` (the account or the template), `daily_send_limit_reached`
     */
    send,

    /** Queues up to 500 messages; each is taken or refused by itself. */
    async sendBatch(tx: Tx, sender: Sender, { messages }: SendBatch): Promise<BatchAnswer> {
      const results: BatchAnswer["results"] = [];
      for (const [index, ask] of messages.entries()) {
        try {
          const { sent } = await send(tx, sender, ask);
          results.push({ index, ...sent });
        } catch (error) {
          // All checks come before the first write, so a refused one leaves nothing behind.
          if (!(error instanceof AppError)) throw error;
          const { code, message, details } = error;
          results.push({ index, error: { code, message, ...(details === undefined ? {} : { details }) } });
        }
      }
      const refused = results.filter((result) => "error" in result).length;
      return { results, accepted: results.length - refused, refused };
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, id: string): Promise<Message> {
      const row = await store.get(null, env_id, id);
      if (row === undefined) throw notFound("message");
      return presentMessage(row);
    },

    /** Newest first. @throws AppError `validation_error` for a bad cursor or time */
    async list(env_id: number, filter: MessageFilter, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Message>> {
      const by = narrow(filter, channels);
      const before = cursor === undefined ? null : decodeCursor("messages", env_id, cursor);
      const [rows, count] = await Promise.all([store.page(env_id, by, before, offset, limit + 1), store.count(env_id, by)]);
      return toPage(rows, { list: "messages", env_id, limit, offset }, count, presentMessage, (row) => row.id);
    },

    /**
     * Takes a queued message back.
     * @throws AppError `not_found`, `conflict` when it is no longer queued; what `check` throws
     */
    async cancel(tx: Tx, sender: Sender, id: string, check: Precondition): Promise<Message> {
      const row = await store.lock(tx, sender.env_id, id);
      if (row === undefined || !mayUse(sender, row.account_id)) throw notFound("message");
      check(presentMessage(row));
      const canceled = await withdraw(tx, row, sender.key_id);
      if (canceled === null) throw new AppError("conflict", `Only a queued message can be canceled; this one is ${row.status}.`);
      const ended = endedOf(canceled, ["message.canceled"]);
      if (ended !== null) await needs.outcomes.recorded(tx, [ended]);
      return presentMessage(canceled);
    },

    /** Takes a message back for whoever has made it, who is not told of it. @returns false when it is no longer queued */
    async takeBack(tx: Tx, env_id: number, id: string): Promise<boolean> {
      const row = await store.lock(tx, env_id, id);
      return row !== undefined && (await withdraw(tx, row, "job")) !== null;
    },
  };
}

/** A recipient is kept in its channel's normal form, which a filter need not know. */
function narrow(filter: MessageFilter, channels: ReadonlyMap<string, Channel>): Narrowed {
  const by: Narrowed = {};
  if (filter.status !== undefined) by.status = filter.status;
  if (filter.direction !== undefined) by.direction = filter.direction;
  if (filter.account_id !== undefined) by.account_id = filter.account_id;
  if (filter.to !== undefined) {
    const forms = [...channels.values()].map((channel) => channel.normalize(filter.to!)).filter((form) => form !== null);
    by.recipients = [...new Set([filter.to, ...forms])];
  }
  if (filter.created_after !== undefined) by.created_after = readTime("created_after", filter.created_after);
  if (filter.created_before !== undefined) by.created_before = readTime("created_before", filter.created_before);
  return by;
}
