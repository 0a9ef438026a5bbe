import { notFound } from "#src/core/errors.ts";
import type { EnrollmentStore } from "./enrolled-sql.ts";
import type { Definition } from "./model.ts";
import type { SequenceStatistics } from "./statistics-model.ts";
import type { SequenceStore } from "./store.ts";
import { type Counted, counted } from "./tally.ts";

type Counts = Record<Counted, number>;
interface Days {
  from?: string;
  to?: string;
}

const none = (): Counts => Object.fromEntries(counted.map((what) => [what, 0])) as Counts;

interface Needs {
  store: Pick<EnrollmentStore, "counts" | "statuses">;
  sequences: Pick<SequenceStore, "get">;
}

export type StatisticsService = ReturnType<typeof createStatistics>;

/** Reads what was counted of sequences while it happened. */
export function createStatistics({ store, sequences }: Needs) {
  return {
    /** @param days the first and the last, in UTC; all without them @throws AppError `not_found` */
    async ofSequence(env_id: number, id: string, { from = "", to = "~" }: Days): Promise<SequenceStatistics> {
      const sequence = await sequences.get(env_id, id);
      if (sequence === undefined) throw notFound("sequence");
      const [rows, statuses] = await Promise.all([store.counts(env_id, id, from, to), store.statuses(env_id, id)]);
      const total = none();
      const steps = new Map<string, Counts>();
      const days = new Map<string, Counts>();
      for (const { day, step, what, n } of rows) {
        const places = [total, entry(days, day), ...(step === "" ? [] : [entry(steps, step)])];
        for (const counts of places) counts[what as Counted] += n;
      }
      const present = new Map(statuses.map(({ status, n }) => [status, n]));
      return {
        sequence_id: id,
        active: present.get("active") ?? 0,
        paused: present.get("paused") ?? 0,
        ...shown(total),
        steps: inOrder(steps, sequence).map(([step, counts]) => ({ step, reached: counts.reached, ...ofStep(counts) })),
        days: [...days].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([day, counts]) => ({ day, ...shown(counts) })),
      };
    },
  };
}

/** As they are in the newest version; those that only others had come last. */
function inOrder(steps: ReadonlyMap<string, Counts>, { definition }: { definition: string }): [string, Counts][] {
  const order = (JSON.parse(definition) as Definition).steps.map((step) => step.id);
  const placeOf = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);
  return [...steps].toSorted(([a], [b]) => placeOf(a) - placeOf(b));
}

function entry(map: Map<string, Counts>, key: string): Counts {
  const counts = map.get(key) ?? none();
  map.set(key, counts);
  return counts;
}

const shown = ({ entered, sent, failed, replied, converted, completed, exited, ended_failed }: Counts) => ({
  ...{ entered, completed, exited },
  /** Enrollments that ended for a fault; `failed` are messages. */
  failed_enrollments: ended_failed,
  ...{ sent, failed, replied, converted },
});

function ofStep({ reached, sent, failed, replied, converted, exited, ended_failed }: Counts) {
  const left = exited + ended_failed;
  return { sent, failed, replied, converted, left, drop_off: reached === 0 ? 0 : Math.round((left / reached) * 10_000) / 10_000 };
}
