import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { RunningTask, Step, TaskError, TaskKind } from "#src/modules/tasks/model.ts";
import type { DeliveryLogStore, DeliveryRow, EventRow } from "./deliveries-sql.ts";
import { deliveryId } from "./delivery-id.ts";
import { type EventKinds, typesOf } from "./event-names.ts";
import { compileFilter, type Filter } from "./filter.ts";
import { statusOf } from "./present.ts";
import type { WebhookStore, WebhookWithState } from "./store.ts";

export const REPLAY_TASK = "webhooks.replay";
/** Of a step. */
const ROWS_MAX = 200;

export interface ReplayParams {
  webhook_id: string;
  /** Milliseconds; before the second. */
  since: number;
  until: number;
  event: string | null;
  contact_id: string | null;
  which: "failed" | "all";
}

interface ReplayState {
  /** Behind this event, or delivery. */
  after: string;
  replayed: number;
}

/** What a step sends again: deliveries that there are, or events whether there is a delivery or not. */
interface Batch {
  deliveries: string[];
  events: EventRow[];
  /** Behind which the next step begins; null when there is nothing more. */
  after: string | null;
}

type Task = RunningTask<ReplayParams, ReplayState>;

interface Needs {
  store: DeliveryLogStore;
  webhooks: WebhookStore;
  clock: Clock;
  kinds: EventKinds;
  /** An event of the log as it is sent. */
  eventOf(row: EventRow): object;
  changed(tx: Tx, env_id: number, webhook_id: string): void;
}

const nothing: Batch = { deliveries: [], events: [], after: null };

/** Sends events of a time to an endpoint again. */
export function replayKind({ store, webhooks, clock, kinds, eventOf, changed }: Needs): TaskKind<ReplayParams, ReplayState, Batch> {
  async function failed({ env_id, params, state }: Task): Promise<Batch> {
    const { webhook_id, event, contact_id } = params;
    const span = { env_id, since: params.since, until: params.until, after: state.after, types: event === null ? null : [event] };
    const rows = await store.failedWithin(span, webhook_id, ROWS_MAX);
    const after = rows.length < ROWS_MAX ? null : rows.at(-1)!.id;
    if (contact_id === null) return { ...nothing, deliveries: rows.map(({ id }) => id), after };
    const events = await store.events(
      env_id,
      rows.map(({ event_id }) => event_id),
    );
    const theirs = new Set(events.filter((row) => isAbout(row, contact_id)).map(({ id }) => id));
    return { ...nothing, deliveries: rows.filter(({ event_id }) => theirs.has(event_id)).map(({ id }) => id), after };
  }

  async function all({ env_id, params, state }: Task): Promise<Batch> {
    const { webhook_id, event, contact_id } = params;
    const webhook = await webhooks.get(env_id, webhook_id);
    if (webhook === undefined) return nothing;
    const asked = typesOf(JSON.parse(webhook.events) as string[], kinds.types);
    const types = event === null ? asked : asked === null || asked.includes(event) ? [event] : [];
    if (types?.length === 0) return nothing;
    const span = { env_id, since: params.since, until: params.until, after: state.after, types, contact_id };
    const rows = await store.eventsWithin(span, ROWS_MAX);
    const takes = webhook.filter === null ? () => true : compileFilter(JSON.parse(webhook.filter) as Filter);
    const events = rows.filter((row) => (contact_id === null || isAbout(row, contact_id)) && takes(eventOf(row)));
    return { ...nothing, events, after: rows.length < ROWS_MAX ? null : rows.at(-1)!.id };
  }

  async function send(tx: Tx, webhook: WebhookWithState, { deliveries, events }: Batch): Promise<number> {
    const { env_id, id: webhook_id } = webhook;
    const at = { now: clock.now(env_id), due: clock.now() };
    if (deliveries.length > 0) return store.replayFailed(tx, env_id, deliveries, at);
    // What stands behind the endpoint's place in the log is on its way for the first time.
    const known = events.filter(({ tx_id, seq }) => tx_id < webhook.tx_id || (tx_id === webhook.tx_id && seq <= webhook.seq));
    for (const event of known) await store.replay(tx, replayed(env_id, webhook_id, event, at));
    return known.length;
  }

  return {
    kind: REPLAY_TASK,
    begin: () => ({ after: "", replayed: 0 }),
    prepare: (task) => (task.params.which === "all" ? all(task) : failed(task)),
    async apply(tx, { env_id, params, state }, batch): Promise<Step<ReplayState>> {
      const webhook = await webhooks.lock(tx, env_id, params.webhook_id);
      const error = whyNot(webhook);
      if (webhook === undefined || error !== null)
        return { kind: "failed", state, progress: { done: state.replayed, total: null }, error: error! };
      const count = await send(tx, webhook, batch);
      if (count > 0) changed(tx, env_id, webhook.id);
      const done = state.replayed + count;
      if (batch.after === null) return { kind: "done", state: { ...state, replayed: done }, progress: { done, total: done } };
      return { kind: "more", state: { after: batch.after, replayed: done }, progress: { done, total: null } };
    },
    result: ({ replayed }) => ({ replayed }),
  };
}

function whyNot(webhook: WebhookWithState | undefined): TaskError | null {
  if (webhook === undefined) return { code: "not_found", message: "The webhook has been deleted." };
  const status = statusOf(webhook);
  return status === "enabled" ? null : { code: "conflict", message: `The webhook is ${status}: enable it, and replay again.` };
}

/** As deliveries of one event are narrowed: by what it is about, or by whose it says that it is. */
function isAbout({ subject, data }: EventRow, contact_id: string): boolean {
  return subject === contact_id || (JSON.parse(data) as { contact_id?: unknown }).contact_id === contact_id;
}

function replayed(env_id: number, webhook_id: string, event: EventRow, { now, due }: { now: number; due: number }): DeliveryRow {
  return {
    ...{ env_id, id: deliveryId(event.id, webhook_id), webhook_id, event_id: event.id, event_type: event.type },
    ...{ status: "pending", tries: 0, next_attempt_at: due, response_status: null, is_test: 0, replayed_at: now },
    ...{ created_at: now, updated_at: now, body: null, attempts: "[]" },
  };
}
