import type { Clock } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import { mayUse, type Principal } from "#src/core/principal.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { ContentCheck } from "./content.ts";
import type { Audience, Broadcast, BroadcastPatch, BroadcastStatus, NewBroadcast, Recipient, RecipientStatus } from "./model.ts";
import { planOf, presentBroadcast, presentRecipient } from "./present.ts";
import { readAudience, readPlan, startOf, stopOf } from "./plan.ts";
import { nextRun, recurs } from "./recurring.ts";
import { newState, type Starting } from "./starting.ts";
import type { Tracking } from "./tracking.ts";
import type { BroadcastStateRow, BroadcastStore, BroadcastWithState, Narrowed } from "./store.ts";

interface Needs {
  store: BroadcastStore;
  clock: Clock;
  starting: Starting;
  tracking: Pick<Tracking, "check">;
  checkContent: ContentCheck;
  /** Whether there is such an account here. */
  hasAccount(tx: Tx, env_id: number, id: number): Maybe<boolean>;
  wake(tx: Tx): void;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

export type Author = Pick<Principal, "env_id" | "key_id" | "account_ids">;

export type BroadcastService = ReturnType<typeof createBroadcastService>;

/** Messages to many: what they are, and what is done with them as a whole. */
export function createBroadcastService({ store, clock, starting, tracking, checkContent, hasAccount, wake, audit }: Needs) {
  /** The row, locked. @throws AppError `not_found`, also for a key that may not use its accounts; what `check` throws */
  async function find(tx: Tx, author: Author, id: string, check: Precondition): Promise<BroadcastWithState> {
    const row = await store.lock(tx, author.env_id, id);
    if (row === undefined || !planOf(row).account_ids.every((account) => mayUse(author, account))) throw notFound("broadcast");
    check(presentBroadcast(row));
    return row;
  }

  async function checkAccounts(tx: Tx, author: Author, ids: readonly number[]): Promise<void> {
    for (const [at, id] of ids.entries())
      if (!mayUse(author, id) || !(await hasAccount(tx, author.env_id, id)))
        throw invalidField(`account_ids.${at}`, "not_found", "There is no such account here.", id);
  }

  async function after(tx: Tx, { env_id, key_id }: Author, operation: string, id: string, before: Broadcast | null): Promise<Broadcast> {
    const shown = presentBroadcast((await store.get(tx, env_id, id))!);
    audit(tx, env_id, { actor: key_id, operation: `broadcasts.${operation}`, subject: id, before: told(before), after: told(shown) });
    return shown;
  }

  /** Gives a broadcast another state. @param from what it may be in @param work is told the real time (ms) */
  async function change(
    tx: Tx,
    author: Author,
    id: string,
    check: Precondition,
    operation: string,
    from: readonly BroadcastStatus[],
    work: (row: BroadcastWithState, now: number) => Promise<Partial<BroadcastStateRow> | null>,
  ): Promise<Broadcast> {
    const row = await find(tx, author, id, check);
    if (!from.includes(row.status as BroadcastStatus)) throw notNow(operation, row.status);
    const changed = await work(row, clock.now());
    if (changed !== null) {
      await store.record(tx, row, { ...changed, updated_at: clock.now(author.env_id) });
      wake(tx);
    }
    return after(tx, author, operation, id, presentBroadcast(row));
  }

  const waiting = (env_id: number, starts_at: number) => ({ status: "scheduled", starts_at, due_at: clock.real(env_id, starts_at) });

  return {
    /** Makes a draft. @throws AppError `validation_error` */
    async create(tx: Tx, author: Author, ask: NewBroadcast): Promise<Broadcast> {
      const { name, audience, metadata = {}, ...settings } = ask;
      const { env_id, key_id } = author;
      const now = clock.now(env_id);
      const plan = readPlan(settings, now);
      await checkAccounts(tx, author, plan.account_ids);
      tracking.check(plan.track_links);
      const id = newId("bc", now, env_id);
      const text = { audience: JSON.stringify(readAudience(audience)), plan: JSON.stringify(plan), metadata: JSON.stringify(metadata) };
      await store.insert(
        tx,
        { env_id, id, name, ...text, parent_id: null, actor: key_id, created_at: now },
        newState(env_id, id, plan, now),
      );
      return after(tx, author, "create", id, null);
    },

    /** Changes a draft. @throws AppError `not_found`, `conflict` for one that is no draft, `validation_error`; what `check` throws */
    async patch(tx: Tx, author: Author, id: string, patch: BroadcastPatch, check: Precondition = unconditional): Promise<Broadcast> {
      const row = await find(tx, author, id, check);
      if (row.status !== "draft") throw notNow("change", row.status);
      const before = presentBroadcast(row);
      const { name = row.name, audience, metadata, ...settings } = patch;
      const plan = readPlan({ ...planOf(row), ...settings }, clock.now(author.env_id));
      await checkAccounts(tx, author, plan.account_ids);
      tracking.check(plan.track_links);
      await store.update(tx, row, {
        name,
        plan: JSON.stringify(plan),
        ...(audience === undefined ? {} : { audience: JSON.stringify(readAudience(audience)) }),
        ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }),
      });
      await store.record(tx, row, { ...stopOf(plan), updated_at: clock.now(author.env_id) });
      return after(tx, author, "patch", id, before);
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, id: string): Promise<Broadcast> {
      const row = await store.get(null, env_id, id);
      if (row === undefined) throw notFound("broadcast");
      return presentBroadcast(row);
    },

    /** Newest first. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(env_id: number, by: Narrowed, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Broadcast>> {
      const before = cursor === undefined ? null : decodeCursor("broadcasts", env_id, cursor);
      const [rows, count] = await Promise.all([store.page(env_id, by, before, offset, limit + 1), store.count(env_id, by)]);
      return toPage(rows, { list: "broadcasts", env_id, limit, offset }, count, presentBroadcast, (row) => row.id);
    },

    /** In the order of the contacts' making. @throws AppError `not_found`, `validation_error` for a cursor that is not of this list */
    async recipients(
      env_id: number,
      id: string,
      status: RecipientStatus | undefined,
      { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery,
    ): Promise<Page<Recipient>> {
      const row = await store.get(null, env_id, id);
      if (row === undefined) throw notFound("broadcast");
      const list = `recipients ${id}`;
      const past = cursor === undefined ? null : decodeCursor(list, env_id, cursor);
      const key = { env_id, broadcast_id: id };
      const [rows, count] = await Promise.all([
        store.recipients(key, status, past, offset, limit + 1),
        // All of them are counted already.
        status === undefined ? { total: row.total, capped: false } : store.countRecipients(key, status),
      ]);
      return toPage(rows, { list, env_id, limit, offset }, count, presentRecipient, (row) => row.contact_id);
    },

    /** Begins a draft, or has it begin at its time. @throws AppError `not_found`, `conflict`; what `check` throws */
    send: (tx: Tx, author: Author, id: string, check: Precondition = unconditional): Promise<Broadcast> =>
      change(tx, author, id, check, "send", ["draft"], async (row) => {
        const plan = planOf(row);
        const now = clock.now(author.env_id);
        await checkAccounts(tx, author, plan.account_ids);
        tracking.check(plan.track_links);
        await checkContent(tx, author.env_id, JSON.parse(row.audience) as Audience, plan);
        if (recurs(plan.schedule)) return waiting(author.env_id, demandRun(plan.schedule, now));
        const starts_at = startOf(plan);
        if (starts_at !== null && starts_at > now) return waiting(author.env_id, starts_at);
        await starting.begin(tx, row);
        return null;
      }),

    /** Makes no more messages, and takes those back that have not left. @throws AppError `not_found`, `conflict`; what `check` throws */
    pause: (tx: Tx, author: Author, id: string, check: Precondition = unconditional): Promise<Broadcast> =>
      change(tx, author, id, check, "pause", ["running", "scheduled"], async (row, now) => {
        // One that has not begun has nothing to take back.
        return { status: "paused", due_at: row.started_at === null ? null : now };
      }),

    /** Goes on where it was paused. @throws AppError `not_found`, `conflict`; what `check` throws */
    resume: (tx: Tx, author: Author, id: string, check: Precondition = unconditional): Promise<Broadcast> =>
      change(tx, author, id, check, "resume", ["paused"], async (row, now) => {
        if (row.started_at !== null) return { status: "running", due_at: now };
        const { schedule } = planOf(row);
        const { env_id } = author;
        return waiting(env_id, recurs(schedule) ? demandRun(schedule, clock.now(env_id)) : row.starts_at!);
      }),

    /** Ends it for whom it has not reached. @throws AppError `not_found`, `conflict` when it has ended; what `check` throws */
    cancel: (tx: Tx, author: Author, id: string, check: Precondition = unconditional): Promise<Broadcast> =>
      change(tx, author, id, check, "cancel", ["draft", "scheduled", "running", "paused"], async (row, now) => {
        // Of one that has not begun nobody is noted, nor will be.
        const isOver = row.started_at === null;
        return { status: "canceled", due_at: isOver ? null : now, ...(isOver ? { is_noted: 1, ended_at: clock.now(author.env_id) } : {}) };
      }),
  };
}

/** @throws AppError `conflict` */
function demandRun(schedule: Parameters<typeof nextRun>[0], now: number): number {
  const next = nextRun(schedule, now);
  if (next === null) throw new AppError("conflict", "The pattern has no run that lies ahead: change the schedule.");
  return next;
}

function notNow(operation: string, status: string): AppError {
  return new AppError("conflict", `A broadcast that is ${status} can't do this: ${operation}.`);
}

/** What the audit keeps: not whom it is for, nor what is said. */
function told(broadcast: Broadcast | null): object | null {
  if (broadcast === null) return null;
  const { name, status, account_ids, schedule, throttle, stop_at_failure_rate } = broadcast;
  return { name, status, account_ids, schedule, throttle, stop_at_failure_rate };
}
