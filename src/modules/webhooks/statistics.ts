import { type Clock, toTime } from "#src/core/clock.ts";
import { notFound } from "#src/core/errors.ts";
import type { DeliveryLogStore } from "./deliveries-sql.ts";
import { type EventKinds, typesOf } from "./event-names.ts";
import type { WebhookStatistics } from "./model.ts";
import type { WebhookStore } from "./store.ts";

const HOUR_MS = 3_600_000;
const HOURS = 24;

interface Needs {
  store: WebhookStore;
  log: DeliveryLogStore;
  clock: Clock;
  kinds: EventKinds;
}

/** What attempts of some time came to, in sum. */
type Sums = Omit<Awaited<ReturnType<WebhookStore["hours"]>>[number], "hour">;

const none: Sums = { attempts: 0, failures: 0, delivered: 0, dead_letters: 0, duration_ms: 0, duration_ms_max: 0 };

/**
 * How an endpoint does.
 * @param hours how many of them, this one included
 * @throws AppError `not_found`
 */
export function createStatistics({ store, log, clock, kinds }: Needs) {
  return async (env_id: number, id: string, hours = HOURS): Promise<WebhookStatistics> => {
    const row = await store.get(env_id, id);
    if (row === undefined) throw notFound("webhook");
    const first = (Math.floor(clock.now(env_id) / HOUR_MS) - hours + 1) * HOUR_MS;
    const types = typesOf(JSON.parse(row.events) as string[], kinds.types);
    const [by_hour, waiting, pending] = await Promise.all([
      store.hours(env_id, id, first),
      store.waiting(env_id, row, types),
      log.pending(env_id, id),
    ]);
    return {
      hours,
      totals: present(by_hour.reduce(added, none)),
      by_hour: by_hour.map(({ hour, ...sums }) => ({ hour: toTime(hour), ...present(sums) })),
      waiting: { events: waiting.events, oldest_at: toTime(waiting.oldest_at) },
      pending: pending.total,
    };
  };
}

function added(sums: Sums, hour: Sums): Sums {
  return {
    attempts: sums.attempts + hour.attempts,
    failures: sums.failures + hour.failures,
    delivered: sums.delivered + hour.delivered,
    dead_letters: sums.dead_letters + hour.dead_letters,
    duration_ms: sums.duration_ms + hour.duration_ms,
    duration_ms_max: Math.max(sums.duration_ms_max, hour.duration_ms_max),
  };
}

function present({ attempts, failures, delivered, dead_letters, duration_ms, duration_ms_max }: Sums) {
  const duration_ms_average = attempts === 0 ? null : Math.round((duration_ms / attempts) * 10) / 10;
  return { attempts, failures, delivered, dead_letters, duration_ms_average, duration_ms_max: attempts === 0 ? null : duration_ms_max };
}
