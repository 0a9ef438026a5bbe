import { toTime } from "#src/core/clock.ts";
import type { Condition } from "./condition.ts";
import type { Score } from "./model.ts";

const DAY_MS = 86_400_000;

/** A rule that counts. */
export interface Rule {
  id: string;
  name: string;
  points: number;
  condition: Condition;
  decay_days: number | null;
}

/** Points that a contact has by a rule for events, those of a day together. */
export interface Points {
  rule_id: string;
  /** 0 where they stay, and then the day is 0 too. */
  decay_days: number;
  day: number;
  points: number;
  count: number;
  last_at: number;
}

/** Days in UTC since 1970. */
const dayOf = (at: number) => Math.floor(at / DAY_MS);

/** Sequences give points too, which stay; in the place of a rule stands the sequence. */
const isSequence = (rule_id: string) => rule_id.startsWith("seq_");

/** What a step of a sequence gives. */
export function pointsBy(sequence_id: string, points: number, at: number): Points & { fades_at: null } {
  return { rule_id: sequence_id, decay_days: 0, day: 0, points, count: 1, last_at: at, fades_at: null };
}

/** What a rule gives for one event. */
export function pointsOf({ id, points, decay_days }: Rule, at: number): Points & { fades_at: number | null } {
  const day = decay_days === null ? 0 : dayOf(at);
  const fades_at = decay_days === null ? null : (day + decay_days) * DAY_MS;
  return { rule_id: id, decay_days: decay_days ?? 0, day, points, count: 1, last_at: at, fades_at };
}

/** What is left of points at a time: they fade evenly, by whole days, so those of one day fade together. */
export function leftOf({ points, decay_days, day }: Points, now: number): number {
  if (decay_days === 0) return points;
  // A clock that was set back makes nothing worth more than it was.
  const age = Math.max(0, dayOf(now) - day);
  return (points * Math.max(0, decay_days - age)) / decay_days;
}

const hasFaded = ({ decay_days, day }: Points, now: number) => decay_days > 0 && dayOf(now) - day >= decay_days;

/**
 * A contact's score.
 * @param given for events, in any order and parting
 * @param holds whether a rule about the contact as it is gives its points
 */
export function scoreOf(rules: readonly Rule[], given: readonly Points[], holds: (rule: Rule) => boolean, now: number): Score {
  const byRule = Map.groupBy(given, ({ rule_id }) => rule_id);
  let sum = 0;
  const why: Score["why"] = [];
  for (const rule of rules) {
    const { id: rule_id, name } = rule;
    if (!("event" in rule.condition)) {
      if (!holds(rule)) continue;
      sum += rule.points;
      why.push({ rule_id, name, points: rule.points, count: null, last_at: null });
      continue;
    }
    const counting = (byRule.get(rule_id) ?? []).filter((points) => !hasFaded(points, now));
    if (counting.length === 0) continue;
    const points = counting.reduce((left, one) => left + leftOf(one, now), 0);
    const count = counting.reduce((events, one) => events + one.count, 0);
    sum += points;
    why.push({ rule_id, name, points: round(points, 2), count, last_at: toTime(Math.max(...counting.map((one) => one.last_at))) });
  }
  for (const [rule_id, points] of byRule) {
    if (!isSequence(rule_id)) continue;
    const total = points.reduce((left, one) => left + one.points, 0);
    const count = points.reduce((times, one) => times + one.count, 0);
    sum += total;
    why.push({ rule_id, name: "A sequence", points: total, count, last_at: toTime(Math.max(...points.map((one) => one.last_at))) });
  }
  return { total: round(sum, 0), why: why.toSorted((a, b) => b.points - a.points) };
}

/** Halves go up. Fractions that are added in another order differ far behind the point: that must not turn a half. */
function round(points: number, places: number): number {
  const scale = 10 ** places;
  return Math.round(Number((points * scale).toFixed(6))) / scale + 0;
}
