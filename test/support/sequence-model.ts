import type { Weekday } from "#src/core/local-time.ts";

/**
 * What sequences promise, written down once more and as plainly as can be: times are found by looking at the clock on the wall each
 * quarter of an hour. Slow, and good for times of day on quarters of an hour alone.
 */

export interface ModelWindow {
  weekdays?: Weekday[];
  from?: string;
  to?: string;
}

export type ModelStep =
  | { id: string; type: "send"; text: string }
  | { id: string; type: "tag"; tag: string }
  | { id: string; type: "wait"; for: string }
  | { id: string; type: "wait"; until: { time: string; weekdays?: Weekday[] } }
  | { id: string; type: "wait"; until_field: { field: "created_at"; offset: string; time: string } }
  | { id: string; type: "wait"; for_event: { event: "message.received" }; timeout: string; on_timeout: string | null }
  | { id: string; type: "branch"; if: { filter: { tag: string } }; then: string | null; else: string | null }
  | { id: string; type: "split"; parts: { weight: number; next: string | null }[] };

export interface ModelSequence {
  steps: ModelStep[];
  timezone: string | null;
  window: ModelWindow | null;
  holidays: string[];
  frequency_cap: { count: number; per: string } | null;
}

export interface ModelContact {
  timezone: string | null;
  created_at: number;
}

export interface ModelEntry {
  sequence: number;
  contact: number;
  at: number;
}

export interface ModelSend {
  contact: number;
  text: string;
  at: number;
}

const QUARTER = 900_000;
const DAY = 86_400_000;
const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: DAY, w: 7 * DAY };
const weekdays: readonly Weekday[] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();

/** By how much a zone's clocks are ahead of UTC. */
function offsetAt(at: number, zone: string): number {
  const grid = Math.floor(at / QUARTER) * QUARTER;
  const key = `${zone} ${grid}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  let format = formats.get(zone);
  if (format === undefined) {
    const digits = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const;
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", ...digits });
    formats.set(zone, format);
  }
  const part = Object.fromEntries(format.formatToParts(grid).map(({ type, value }) => [type, Number(value)]));
  const offset = Date.UTC(part["year"]!, part["month"]! - 1, part["day"], part["hour"], part["minute"]) - grid;
  offsets.set(key, offset);
  return offset;
}

const wallOf = (at: number, zone: string) => at + offsetAt(at, zone);
const dayOf = (wall: number) => Math.floor(wall / DAY);
const timeMs = (time: string) => (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * 60_000;
const isOn = (day: number, days: readonly Weekday[] | undefined) => days === undefined || days.includes(weekdays[((day % 7) + 7) % 7]!);

/** The first moment at which clocks show this or more: just behind what is skipped, the first of what comes twice. */
function momentOf(wall: number, zone: string): number {
  let grid = Math.floor((wall - 16 * 3_600_000) / QUARTER) * QUARTER;
  while (wallOf(grid, zone) < wall) grid += QUARTER;
  const smooth = grid - QUARTER + (wall - wallOf(grid - QUARTER, zone));
  return smooth < grid ? smooth : grid;
}

function later(at: number, duration: string, zone: string): number {
  const ms = Number(duration.slice(0, -1)) * unitMs[duration.slice(-1)]!;
  return /[dw]$/.test(duration) ? momentOf(wallOf(at, zone) + ms, zone) : at + ms;
}

export function isOpen(at: number, zone: string, window: ModelWindow | null, holidays: readonly string[]): boolean {
  const wall = wallOf(at, zone);
  const day = dayOf(wall);
  if (holidays.includes(new Date(day * DAY).toISOString().slice(0, 10))) return false;
  const { from = "00:00", to, weekdays: days } = window ?? {};
  const time = wall - day * DAY;
  const end = to === undefined ? DAY : timeMs(to);
  if (timeMs(from) < end) return time >= timeMs(from) && time < end && isOn(day, days);
  if (time >= timeMs(from)) return isOn(day, days);
  const isHolidayBefore = holidays.includes(new Date((day - 1) * DAY).toISOString().slice(0, 10));
  return time < end && isOn(day - 1, days) && !isHolidayBefore;
}

function opening(at: number, zone: string, { window, holidays }: ModelSequence): number {
  if (isOpen(at, zone, window, holidays)) return at;
  let grid = Math.ceil(at / QUARTER) * QUARTER;
  while (!isOpen(grid, zone, window, holidays)) grid += QUARTER;
  return grid;
}

function endOf(step: Extract<ModelStep, { type: "wait" }>, at: number, zone: string, made: number): number {
  if ("for" in step) return later(at, step.for, zone);
  if ("for_event" in step) return later(at, step.timeout, zone);
  if ("until" in step) {
    for (let day = dayOf(wallOf(at, zone)); ; day++) {
      const moment = momentOf(day * DAY + timeMs(step.until.time), zone);
      if (isOn(day, step.until.weekdays) && moment > at) return moment;
    }
  }
  const { offset, time } = step.until_field;
  const days = Number(offset.slice(0, -1));
  return Math.max(at, momentOf((dayOf(wallOf(made, zone)) + days) * DAY + timeMs(time), zone));
}

/**
 * All that is sent until a moment, in order.
 * @param entries in the order in which they were made
 * @param chosen where a split leads a contact
 */
export function foresee(
  sequences: readonly ModelSequence[],
  contacts: readonly ModelContact[],
  entries: readonly ModelEntry[],
  until: number,
  chosen: (sequence: number, split: string, contact: number) => string | null,
): ModelSend[] {
  const sends: ModelSend[] = [];
  const tags = contacts.map(() => new Set<string>());
  const open = entries.map((entry, order) => ({
    ...entry,
    order,
    step: sequences[entry.sequence]!.steps[0]!.id as string | null,
    hasWaited: false,
  }));
  for (;;) {
    const turn = open.filter(({ step }) => step !== null).toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
    if (turn === undefined || turn.at > until) return sends;
    const sequence = sequences[turn.sequence]!;
    const contact = contacts[turn.contact]!;
    const zone = contact.timezone ?? sequence.timezone ?? "UTC";
    const { at } = turn;
    while (turn.step !== null && turn.at === at) {
      const place = sequence.steps.findIndex(({ id }) => id === turn.step);
      const step = sequence.steps[place]!;
      const following = sequence.steps[place + 1]?.id ?? null;
      if (step.type === "send") {
        const opens = opening(at, zone, sequence);
        const { count = Infinity, per = "1s" } = sequence.frequency_cap ?? {};
        const held = sends.filter((sent) => sent.contact === turn.contact).at(-count);
        const free = count === Infinity || held === undefined ? at : later(held.at, per, zone);
        if (opens > at) turn.at = opens;
        else if (free > at) turn.at = free;
        else {
          sends.push({ contact: turn.contact, text: step.text, at });
          turn.step = following;
        }
      } else if (step.type === "tag") {
        tags[turn.contact]!.add(step.tag);
        turn.step = following;
      } else if (step.type === "branch") turn.step = tags[turn.contact]!.has(step.if.filter.tag) ? step.then : step.else;
      else if (step.type === "split") turn.step = chosen(turn.sequence, step.id, turn.contact);
      else {
        // Nobody writes: who waits for that waits until its time is over.
        turn.at = turn.hasWaited ? at : endOf(step, at, zone, contact.created_at);
        turn.hasWaited = turn.at > at;
        if (!turn.hasWaited) turn.step = "on_timeout" in step ? step.on_timeout : following;
      }
    }
  }
}
