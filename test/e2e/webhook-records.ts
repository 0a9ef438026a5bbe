import { Database } from "bun:sqlite";
import type { Attempt } from "#src/modules/webhooks/model.ts";
import type { Arrival, Kind } from "./chaos-receivers.ts";
import { databaseOf } from "./posthouse.ts";

/** An endpoint of a run, and what may be expected of it. */
export interface ChaosEndpoint {
  id: string;
  kind: Kind;
  path: string;
  types: readonly string[];
  max_attempts: number;
  /** Between one attempt and the next (ms). */
  delayMs: number;
  /** Made while events happened: it gets those from some place of the log on. */
  isLate: boolean;
}

/** A request that was answered with success. */
export interface Acknowledged {
  /** Stands in the data of its event. */
  marker: string;
}

interface EventRow {
  id: string;
  type: string;
  subject: string;
  data: string;
}

interface DeliveryRow {
  id: string;
  webhook_id: string;
  event_id: string;
  status: string;
  tries: number;
  attempts: string;
}

export interface WebhookReckoning {
  events: number;
  acknowledged: number;
  deliveries: number;
  delivered: number;
  deadLetters: number;
  /** Attempts that are recorded, and those of them that failed. */
  attempts: number;
  failures: number;
  /** Webhooks that came to a receiver which had answered the same one with success before, by kind. */
  doubled: Partial<Record<Kind, number>>;
  /** Of those, the most that one kill brought about. */
  doubledByOneKill: number;
  /** How late the latest attempt was, after the time that the schedule gives it (ms); where all hang they wait for one another. */
  latestMs: number;
  faults: string[];
  integrity: string;
}

/** What is recorded of a success takes so long at most: only who was answered later than that before a kill may be asked again. */
const RECORDED_MS_MAX = 1_500;
const JITTER = 0.2;

/** Holds what a server has left against what its receivers have seen. Only when none runs. */
export function reckonWebhooks(
  folder: string,
  endpoints: readonly ChaosEndpoint[],
  acknowledged: readonly Acknowledged[],
  arrivals: readonly Arrival[],
  kills: readonly number[],
): WebhookReckoning {
  using file = new Database(databaseOf(folder), { readonly: true });
  const { env_id } = file.query("SELECT env_id FROM webhooks LIMIT 1").get() as { env_id: number };
  const events = file.query("SELECT id, type, subject, data FROM events WHERE env_id = ? ORDER BY tx_id, seq").all(env_id) as EventRow[];
  const deliveries = file.query("SELECT id, webhook_id, event_id, status, tries, attempts FROM deliveries").all() as DeliveryRow[];
  const byEndpoint = Map.groupBy(deliveries, ({ webhook_id }) => webhook_id);
  const byPath = Map.groupBy(arrivals, ({ path }) => path);
  const attempts = deliveries.flatMap((row) => JSON.parse(row.attempts) as Attempt[]);
  const faults = lostOf(acknowledged, events);
  const eventIds = new Set(events.map(({ id }) => id));
  for (const { id, event_id } of deliveries) if (!eventIds.has(event_id)) faults.push(`${id} has no event`);
  const doubled: WebhookReckoning["doubled"] = {};
  const doubledByKill = new Map<number, number>();
  let latestMs = 0;
  for (const endpoint of endpoints) {
    const rows = byEndpoint.get(endpoint.id) ?? [];
    const came = byPath.get(endpoint.path) ?? [];
    faults.push(...missingOf(endpoint, events, rows), ...unheardOf(endpoint, rows, came), ...disorderOf(endpoint, events, came));
    for (const row of rows) {
      const { faults: found, lateMs } = faultsOf(endpoint, row);
      faults.push(...found);
      if (endpoint.kind !== "hanging") latestMs = Math.max(latestMs, lateMs);
    }
    for (const { id, answeredAt } of repeatsOf(came)) {
      doubled[endpoint.kind] = (doubled[endpoint.kind] ?? 0) + 1;
      // Whoever goes deaf may take an answer back.
      if (endpoint.kind === "refusing") continue;
      const kill = kills.find((at) => at >= answeredAt - 1 && at - answeredAt <= RECORDED_MS_MAX);
      if (kill === undefined) faults.push(`${id} came to ${endpoint.path} again without a kill`);
      else doubledByKill.set(kill, (doubledByKill.get(kill) ?? 0) + 1);
    }
  }
  return {
    events: events.length,
    acknowledged: acknowledged.length,
    deliveries: deliveries.length,
    delivered: deliveries.filter(({ status }) => status === "delivered").length,
    deadLetters: deliveries.filter(({ status }) => status === "dead_letter").length,
    attempts: attempts.length,
    failures: attempts.filter(({ stage }) => stage !== null).length,
    doubled,
    doubledByOneKill: Math.max(0, ...doubledByKill.values()),
    latestMs,
    faults,
    integrity: (file.query("PRAGMA integrity_check").get() as { integrity_check: string }).integrity_check,
  };
}

function lostOf(acknowledged: readonly Acknowledged[], events: readonly EventRow[]): string[] {
  const kept = new Set(events.flatMap(({ data }) => data.match(/marker-[0-9]+-[0-9a-f]+/g) ?? []));
  return acknowledged.filter(({ marker }) => !kept.has(marker)).map(({ marker }) => `${marker} was acknowledged and is not in the log`);
}

/** Every event that it asked for has a delivery, and nothing else has; one that was made late has them from some event on. */
function missingOf({ path, types, isLate }: ChaosEndpoint, events: readonly EventRow[], rows: readonly DeliveryRow[]): string[] {
  const wanted = events.filter(({ type }) => types.includes("*") || types.includes(type));
  const has = new Set(rows.map(({ event_id }) => event_id));
  const from = isLate ? wanted.findIndex(({ id }) => has.has(id)) : 0;
  const expected = from === -1 ? [] : wanted.slice(from);
  const missing = expected.filter(({ id }) => !has.has(id)).map(({ id }) => `${path} did not get ${id}`);
  const ids = new Set(expected.map(({ id }) => id));
  const unasked = rows.filter(({ event_id }) => !ids.has(event_id)).map(({ event_id }) => `${path} did not ask for ${event_id}`);
  if (isLate && (from <= 0 || expected.length === 0)) missing.push(`${path} was made in the midst of it and got ${expected.length}`);
  return [...missing, ...unasked];
}

/** What is said to be delivered was answered with success. */
function unheardOf({ path, kind }: ChaosEndpoint, rows: readonly DeliveryRow[], came: readonly Arrival[]): string[] {
  const heard = new Set(came.filter(({ answer }) => answer === "ok").map(({ id }) => id));
  const faults = rows
    .filter(({ status, event_id }) => status === "delivered" && !heard.has(event_id))
    .map(({ event_id }) => `${event_id} is delivered to ${path} and was not heard there`);
  if (kind === "healthy")
    for (const { event_id, status } of rows) if (status !== "delivered") faults.push(`${event_id} is ${status} for ${path}`);
  return faults;
}

/** A healthy receiver gets what is about one subject in the order of the log. */
function disorderOf({ kind, path }: ChaosEndpoint, events: readonly EventRow[], came: readonly Arrival[]): string[] {
  if (kind !== "healthy") return [];
  const places = new Map(events.map(({ id, subject }, place) => [id, { place, subject }]));
  const furthest = new Map<string, number>();
  const faults: string[] = [];
  for (const id of new Set(came.map(({ id }) => id))) {
    const { place, subject } = places.get(id) ?? { place: -1, subject: "" };
    if (place === -1) faults.push(`${id} came to ${path} and is not in the log`);
    if (place < (furthest.get(subject) ?? -1)) faults.push(`${id} came to ${path} after a later one about ${subject}`);
    furthest.set(subject, Math.max(place, furthest.get(subject) ?? -1));
  }
  return faults;
}

/** Arrivals after one that was answered with success, each with when the last of those was. */
function repeatsOf(came: readonly Arrival[]): { id: string; answeredAt: number }[] {
  const answered = new Map<string, number>();
  const repeats = [];
  for (const { id, at, answer } of came) {
    const answeredAt = answered.get(id);
    if (answeredAt !== undefined) repeats.push({ id, answeredAt });
    if (answer === "ok") answered.set(id, at);
  }
  return repeats;
}

/** What is wrong with how one delivery was tried, and how late its latest attempt was. */
function faultsOf({ kind, max_attempts, delayMs, path }: ChaosEndpoint, row: DeliveryRow): { faults: string[]; lateMs: number } {
  const attempts = JSON.parse(row.attempts) as Attempt[];
  const { id, status, tries } = row;
  const faults: string[] = [];
  let lateMs = 0;
  const say = (what: string) => faults.push(`${id} of ${path}: ${what}`);
  if (tries !== attempts.length) say(`${tries} tries and ${attempts.length} attempts`);
  if (status !== "delivered" && status !== "dead_letter") say(`is left ${status}`);
  if (status === "dead_letter" && tries !== max_attempts) say(`a dead letter after ${tries} tries`);
  if (tries < 1 || tries > max_attempts) say(`${tries} tries`);
  const last = attempts.at(-1);
  if ((last?.stage === null) !== (status === "delivered")) say(`${status}, and its last attempt failed at ${last?.stage}`);
  if (kind === "dead" && attempts.some(({ stage }) => stage !== "connect")) say("somebody listened");
  if (kind === "hanging" && attempts.some(({ stage }) => stage !== "wait")) say("somebody answered");
  for (const [at, { at: next }] of attempts.slice(1).entries()) {
    const before = attempts[at]!;
    const asked = before.status === 429 ? Number(before.response?.headers["retry-after"] ?? 0) * 1_000 : 0;
    const waited = next - before.at - before.duration_ms;
    const least = Math.max(delayMs * (1 - JITTER), asked);
    if (waited < least) say(`attempt ${at + 2} after ${waited} ms instead of ${least}`);
    if (before.stage === null) say("it was tried after a success");
    lateMs = Math.max(lateMs, waited - Math.max(delayMs * (1 + JITTER), asked));
  }
  return { faults, lateMs };
}
