import { type Clock, toTime } from "#src/core/clock.ts";
import type { Cipher } from "#src/core/cipher.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, toPage } from "#src/core/page.ts";
import { readTime } from "#src/core/time-field.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewTask, Task } from "#src/modules/tasks/model.ts";
import type { DeliveryLogStore, DeliveryRow, DeliverySummary, EventRow, Narrowed } from "./deliveries-sql.ts";
import { deliveryId } from "./delivery-id.ts";
import { checkEvent, type EventKinds, typesOf } from "./event-names.ts";
import { HIDDEN, signatureOf } from "./headers.ts";
import type { Delivery, DeliveryDetail, DeliveryQuery, PurgeDeliveries, ReplayDeliveries, ShownAttempt } from "./delivery-model.ts";
import type { Attempt, TestWebhook } from "./model.ts";
import { presentDelivery, statusOf } from "./present.ts";
import { PURGE_TASK, type PurgeParams } from "./purge.ts";
import { REPLAY_TASK, type ReplayParams } from "./replay.ts";
import { requestHeaders } from "./request-headers.ts";
import { openHeaders } from "./secrets.ts";
import type { WebhookStore, WebhookWithState } from "./store.ts";

interface Needs {
  store: DeliveryLogStore;
  webhooks: WebhookStore;
  clock: Clock;
  cipher: Cipher;
  kinds: EventKinds;
  /** The body in which an event of the log is sent. */
  bodyOf(row: EventRow): string;
  changed(tx: Tx, env_id: number, webhook_id: string): void;
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
}

/** Later than any event, whatever the clocks of those who write them. */
const END = Number.MAX_SAFE_INTEGER;

const scopes = { read: "manage:webhooks", write: "manage:webhooks" } as const;

export type DeliveryService = ReturnType<typeof createDeliveryService>;

/** The log of what was delivered, and what can be done about it. Attempts are made, and noted, elsewhere. */
export function createDeliveryService({ store, webhooks, clock, cipher, kinds, bodyOf, changed, createTask }: Needs) {
  const shown = (row: DeliverySummary) => presentDelivery(row, clock);

  async function narrow(env_id: number, query: DeliveryQuery): Promise<Narrowed> {
    const { status, event, event_id, webhook_id, created_after, created_before } = query;
    const by: Narrowed = {};
    if (webhook_id !== undefined) by.webhook_id = webhook_id;
    if (status !== undefined) by.status = status;
    if (event !== undefined) by.event_type = event;
    // There is one for each endpoint, at a place that is known.
    if (event_id !== undefined) by.ids = (await webhooks.ids(null, env_id)).map((id) => deliveryId(event_id, id));
    if (created_after !== undefined) by.created_after = readTime("created_after", created_after);
    if (created_before !== undefined) by.created_before = readTime("created_before", created_before);
    return by;
  }

  /** @throws AppError `not_found`, `conflict` for one that nothing is sent to */
  async function findEnabled(tx: Tx, env_id: number, id: string): Promise<WebhookWithState> {
    const row = await webhooks.lock(tx, env_id, id);
    if (row === undefined) throw notFound("webhook");
    checkEnabled(row);
    return row;
  }

  /** Locks the endpoint first, as replays of many do. */
  async function find(tx: Tx, env_id: number, id: string): Promise<{ row: DeliveryRow; webhook: WebhookWithState }> {
    const seen = await store.get(tx, env_id, id);
    const webhook = seen === undefined ? undefined : await webhooks.lock(tx, env_id, seen.webhook_id);
    const row = webhook === undefined ? undefined : await store.lock(tx, env_id, id);
    if (webhook === undefined || row === undefined) throw notFound("delivery");
    return { row, webhook };
  }

  /**
   * Newest first. Totals are counted up to 10,000. Of deleted endpoints nothing is shown.
   * @param name of the list, in cursors
   * @throws AppError `validation_error` for a bad time, or a cursor that is not of this list
   */
  async function list(env_id: number, query: DeliveryQuery, name = "deliveries"): Promise<Page<Delivery>> {
    const { limit = PAGE_DEFAULT, offset = 0, cursor } = query;
    const before = cursor === undefined ? null : decodeCursor(name, env_id, cursor);
    const [by, deleted] = await Promise.all([narrow(env_id, query), webhooks.deleted(env_id)]);
    // The newest of an endpoint, and what is unsettled, are the end of an index.
    const { webhook_id: _webhook, status, ...others } = by;
    const slow = offset > 0 || status === "delivered" || deleted.length > 0 || Object.keys(others).length > 0;
    const [rows, count] = await Promise.all([
      store.page(env_id, by, deleted, before, offset, limit + 1, slow),
      store.count(env_id, by, deleted),
    ]);
    return toPage(rows, { list: name, env_id, limit, offset }, count, shown, (row) => row.id);
  }

  return {
    list,

    /** As `list`, of one endpoint. @throws AppError `not_found` too */
    async listOf(env_id: number, webhook_id: string, query: Omit<DeliveryQuery, "webhook_id">): Promise<Page<Delivery>> {
      if ((await webhooks.get(env_id, webhook_id)) === undefined) throw notFound("webhook");
      return list(env_id, { ...query, webhook_id }, `deliveries of ${webhook_id}`);
    },

    /** @returns beside the delivery what its ETag stands for @throws AppError `not_found` */
    async get(env_id: number, id: string): Promise<{ detail: DeliveryDetail; state: Delivery }> {
      const row = await store.get(null, env_id, id);
      const webhook = row === undefined ? undefined : await webhooks.get(env_id, row.webhook_id);
      if (row === undefined || webhook === undefined) throw notFound("delivery");
      const event = row.body === null ? await store.event(null, env_id, row.event_id) : undefined;
      const body = row.body ?? (event === undefined ? null : bodyOf(event));
      const state = shown(row);
      const names = Object.keys(openHeaders(cipher, webhook));
      const attempts = (JSON.parse(row.attempts) as Attempt[]).map((attempt) => presentAttempt(row, attempt, webhook, names));
      return { detail: { ...state, request: { url: webhook.url, body }, attempts }, state };
    },

    /**
     * Has an event sent again, at once and from the beginning of the schedule, with the id that it had.
     * @throws AppError `not_found`; `conflict` when the endpoint is not enabled or the event no longer kept; what `check` throws
     */
    async replay(tx: Tx, env_id: number, id: string, check: Precondition = unconditional): Promise<Delivery> {
      const { row, webhook } = await find(tx, env_id, id);
      check(shown(row));
      checkEnabled(webhook);
      if (row.body === null && (await store.event(tx, env_id, row.event_id)) === undefined)
        throw new AppError("conflict", "The event is no longer kept, so it can't be sent again.");
      const now = clock.now(env_id);
      const again = { ...row, status: "pending", tries: 0, next_attempt_at: clock.now(), replayed_at: now, updated_at: now };
      await store.replay(tx, again);
      changed(tx, env_id, row.webhook_id);
      return shown(again);
    },

    /**
     * Has many events sent again, by a long job.
     * @throws AppError `not_found`; `conflict` when the endpoint is not enabled; `validation_error` on what is wrong
     */
    async replayMany(tx: Tx, env_id: number, webhook_id: string, ask: ReplayDeliveries): Promise<Task> {
      await findEnabled(tx, env_id, webhook_id);
      const { event = null, contact_id = null, which = "failed" } = ask;
      if (event !== null) checkEvent(event, kinds.types);
      const since = readTime("since", ask.since);
      const until = ask.until === undefined ? END : readTime("until", ask.until);
      const params: ReplayParams = { webhook_id, since, until, event, contact_id, which };
      return createTask(tx, env_id, { kind: REPLAY_TASK, scopes, params, total: null });
    },

    /** Takes a delivery out of the log. @throws AppError `not_found`; `conflict` while it is pending; what `check` throws */
    async remove(tx: Tx, env_id: number, id: string, check: Precondition = unconditional): Promise<void> {
      const { row } = await find(tx, env_id, id);
      check(shown(row));
      if (row.status === "pending") throw new AppError("conflict", "The delivery is pending: it can be removed when it is settled.");
      await store.remove(tx, env_id, id);
    },

    /** Removes dead letters, by a long job. @throws AppError `not_found` for the endpoint; `validation_error` on what is wrong */
    async purge(tx: Tx, env_id: number, ask: PurgeDeliveries): Promise<Task> {
      const { webhook_id = null, event = null } = ask;
      if (webhook_id !== null && (await webhooks.lock(tx, env_id, webhook_id)) === undefined) throw notFound("webhook");
      if (event !== null) checkEvent(event, kinds.types);
      const before = ask.before === undefined ? END : readTime("before", ask.before);
      const params: PurgeParams = { webhook_id, before, event };
      return createTask(tx, env_id, { kind: PURGE_TASK, scopes, params, total: null });
    },

    /**
     * Has a made-up event sent, once: of any known name, whatever the endpoint asks for.
     * @throws AppError `not_found`; `conflict` when the endpoint is not enabled; `validation_error` on `event`
     */
    async test(tx: Tx, env_id: number, webhook_id: string, ask: TestWebhook): Promise<Delivery> {
      const webhook = await findEnabled(tx, env_id, webhook_id);
      const asked = (JSON.parse(webhook.events) as string[]).flatMap((name) => typesOf([name], kinds.types) ?? kinds.types);
      const { event = asked.find((type) => kinds.exampleOf(type) !== null) ?? asked[0]! } = ask;
      checkEvent(event, kinds.types);
      const example = kinds.exampleOf(event);
      if (example === null)
        throw invalidField("event", "not_allowed", `${event} is announced: nothing writes it yet, so there is nothing to show.`);
      const now = clock.now(env_id);
      const event_id = newId("evt", now, env_id);
      const row: DeliveryRow = {
        ...{ env_id, id: deliveryId(event_id, webhook_id), webhook_id, event_id, event_type: event },
        ...{ status: "pending", tries: 0, next_attempt_at: clock.now(), response_status: null, is_test: 1, replayed_at: null },
        ...{ created_at: now, updated_at: now, attempts: "[]" },
        body: JSON.stringify({ ...example, event, id: event_id, created_at: toTime(now) }),
      };
      await store.insert(tx, row);
      changed(tx, env_id, webhook_id);
      return shown(row);
    },

    /** Forgets what receivers answered about these events. */
    async forgetResponses(tx: Tx, env_id: number, event_ids: readonly string[]): Promise<void> {
      if (event_ids.length === 0) return;
      const ids = (await webhooks.ids(tx, env_id)).flatMap((webhook_id) => event_ids.map((event_id) => deliveryId(event_id, webhook_id)));
      if (ids.length === 0) return;
      for (const { id, attempts } of await store.attemptsOf(tx, env_id, ids)) {
        const emptied = (JSON.parse(attempts) as Attempt[]).map((attempt) => ({ ...attempt, response: null }));
        await store.setAttempts(tx, env_id, id, JSON.stringify(emptied));
      }
    },
  };
}

/** @throws AppError `conflict` */
function checkEnabled(row: WebhookWithState): void {
  const status = statusOf(row);
  if (status === "enabled") return;
  throw new AppError("conflict", `The webhook is ${status}: enable it first, with PATCH /v1/webhooks/${row.id} {"paused": false}.`);
}

function presentAttempt(
  { event_id }: DeliveryRow,
  { at, status, duration_ms, stage, error, timestamp, signature, webhook_signature, response }: Attempt,
  webhook: WebhookWithState,
  names: readonly string[],
): ShownAttempt {
  const sent = { event_id, timestamp, webhook_signature, signature, header: signatureOf(webhook).header };
  const own = names.map((name) => [name, HIDDEN] as const);
  const headers = Object.fromEntries(requestHeaders(sent, own));
  return { at: toTime(at), status, duration_ms, stage, error, request: { headers }, response };
}
