import type { Statistics } from "./model.ts";

/** How often something has happened: `sent`, `failed.<code>`. */
interface Count {
  day: string;
  step: string;
  what: string;
  n: number;
}

type Totals = Statistics["totals"];

const none: Totals = { entered: 0, sent: 0, failed: 0, skipped: 0, canceled: 0, replied: 0, clicked: 0 };

/** The part of a code's name that says what it is a code of. */
const kindOf = (what: string) => what.split(".")[0]!;

function totalsOf(counts: readonly Count[]): Totals {
  const totals = { ...none };
  for (const { what, n } of counts) {
    const kind = kindOf(what);
    if (Object.hasOwn(totals, kind)) totals[kind as keyof Totals] += n;
    // What was taken back is made once more, or is canceled.
    if (kind === "withdrawn") totals.entered -= n;
  }
  return totals;
}

function codesOf(counts: readonly Count[], kind: string): Record<string, number> {
  const codes: Record<string, number> = {};
  for (const { what, n } of counts) {
    if (kindOf(what) !== kind) continue;
    const code = what.slice(kind.length + 1);
    codes[code] = (codes[code] ?? 0) + n;
  }
  return codes;
}

/** What a broadcast has come to. */
export function statisticsOf({ id, status }: { id: string; status: string }, counts: readonly Count[]): Statistics {
  const named = (step: string) => (step === "" ? null : step);
  const days = Map.groupBy(counts, ({ day, step }) => `${day} ${step}`);
  return {
    broadcast_id: id,
    status,
    totals: totalsOf(counts),
    failed_by_code: codesOf(counts, "failed"),
    skipped_by_reason: codesOf(counts, "skipped"),
    variants: [...Map.groupBy(counts, ({ step }) => step)].map(([step, some]) => ({ variant: named(step), ...totalsOf(some) })),
    days: [...days.values()].map((some) => ({ date: some[0]!.day, variant: named(some[0]!.step), ...totalsOf(some) })),
  };
}
