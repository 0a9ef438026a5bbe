import { type Clock, toTime } from "#src/core/clock.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { FieldDefinition } from "#src/modules/fields/model.ts";
import { type Condition, type FieldValues, holds, isMet, type KnownFields, type StateCondition } from "./condition.ts";
import type { HeldPoints, Lead, LeadChange, LeadNote, Score } from "./model.ts";
import { type Points, pointsBy, pointsOf, type Rule, scoreOf } from "./score.ts";
import type { ContactPointsRow, ScoreRuleRow, ScoringStore } from "./store.ts";

interface Needs {
  store: ScoringStore;
  clock: Clock;
  fields: {
    /** @param tx null reads the last committed snapshot */
    definitions(tx: Tx | null, env_id: number): Maybe<FieldDefinition[]>;
    indexed: FieldValues["indexed"];
  };
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  /** The rows of contacts that are part of these by now, which keep the points that they have got. */
  merged(tx: Tx | null, env_id: number, ids: readonly string[]): Maybe<{ into: string; row: number }[]>;
}

/** In whose environment something happened, and who made it happen. */
interface Cause {
  env_id: number;
  actor: string;
}

/** Gives points to contacts as things happen to them, and tells their scores. */
export function createScorer({ store, clock, fields, appendEvent, merged }: Needs) {
  async function rulesOf(tx: Tx | null, env_id: number): Promise<Rule[]> {
    return (await store.rules(tx, env_id)).filter(({ enabled }) => enabled === 1).map(ruleOf);
  }

  /** Only where a rule asks for a custom field. */
  async function fieldsFor(tx: Tx | null, env_id: number, rules: readonly Rule[]): Promise<KnownFields> {
    if (!rules.some(({ condition }) => "field_id" in condition)) return new Map();
    return new Map((await fields.definitions(tx, env_id)).map((field) => [field.id, field]));
  }

  function score(rules: readonly Rule[], given: readonly Points[], lead: Lead, known: KnownFields, now: number): Score {
    return scoreOf(rules, given, ({ condition }) => holds(condition as StateCondition, lead, known, fields), now);
  }

  /** What contacts have got for events, by their rows, those who were merged into them included. */
  async function givenTo(
    tx: Tx | null,
    env_id: number,
    leads: readonly Pick<Lead, "id" | "row">[],
  ): Promise<Map<number, ContactPointsRow[]>> {
    if (leads.length === 0) return new Map();
    const rows = new Map(leads.map(({ id, row }) => [id, row]));
    const owners = new Map(leads.map(({ row }) => [row, row]));
    for (const { into, row } of await merged(tx, env_id, [...rows.keys()])) owners.set(row, rows.get(into)!);
    return Map.groupBy(await store.points(tx, env_id, [...owners.keys()]), ({ contact_row }) => owners.get(contact_row)!);
  }

  /** The rows of the contacts that are changed are the caller's alone meanwhile. */
  async function apply(tx: Tx, { env_id, actor }: Cause, rules: readonly Rule[], changes: readonly LeadChange[], given_too: Gains = []) {
    const now = clock.now(env_id);
    const gains = changes.map(({ happened }, at) => [...gainsOf(rules, happened, now), ...(given_too[at] ?? [])]);
    const thresholds = JSON.parse((await store.settings(tx, env_id))?.thresholds ?? "[]") as number[];
    if (thresholds.length > 0) {
      const known = await fieldsFor(tx, env_id, rules);
      // Who is new has none.
      const leads = changes.filter(({ before }) => before !== null).map(({ after }) => after);
      const given = new Map<number, Points[]>(await givenTo(tx, env_id, leads));
      for (const [at, { before, after }] of changes.entries()) {
        const had = given.get(after.row) ?? [];
        const has = [...had, ...gains[at]!];
        given.set(after.row, has);
        const previous_score = before === null ? 0 : score(rules, had, before, known, now).total;
        const { total, why } = score(rules, has, after, known, now);
        for (const threshold of thresholds.filter((one) => previous_score < one && one <= total)) {
          const data = { contact_id: after.id, score: total, previous_score, threshold, why };
          appendEvent(tx, env_id, { type: "lead.scored", subject: after.id, actor, data });
        }
      }
    }
    for (const [at, { after }] of changes.entries())
      for (const gain of gains[at]!) store.addPoints(tx, { ...gain, env_id, contact_row: after.row });
  }

  return {
    /**
     * Gives the points for changes of contacts, and tells `lead.scored` where a score crosses a threshold upwards.
     * @param changes in their order; their rows are locked by the caller
     */
    async changed(tx: Tx, cause: Cause, changes: readonly LeadChange[]): Promise<void> {
      const rules = changes.length === 0 ? [] : await rulesOf(tx, cause.env_id);
      if (rules.length > 0) await apply(tx, cause, rules, changes);
    },

    /** As `changed`, for what happens to contacts without changing them. Those who are gone get nothing. */
    async noted(tx: Tx, cause: Cause, notes: readonly LeadNote[]): Promise<void> {
      const rules = notes.length === 0 ? [] : await rulesOf(tx, cause.env_id);
      const counting = notes.filter((note) => rules.some(({ condition }) => isMet(condition, note)));
      if (counting.length === 0) return;
      const ids = [...new Set(counting.map(({ contact_id }) => contact_id))];
      const leads = new Map((await store.lockLeads(tx, cause.env_id, ids)).map((lead) => [lead.id, lead]));
      const changes = counting.flatMap(({ contact_id, type }): LeadChange[] => {
        const lead = leads.get(contact_id);
        return lead === undefined ? [] : [{ before: lead, after: lead, happened: [{ type }] }];
      });
      await apply(tx, cause, rules, changes);
    },

    /** A step of a sequence gives a contact points, or takes them; one who is gone gets none. */
    async give(tx: Tx, cause: Cause, contact_id: string, sequence_id: string, points: number): Promise<void> {
      const [lead] = await store.lockLeads(tx, cause.env_id, [contact_id]);
      if (lead === undefined) return;
      const gain = pointsBy(sequence_id, points, clock.now(cause.env_id));
      await apply(tx, cause, await rulesOf(tx, cause.env_id), [{ before: lead, after: lead, happened: [] }], [[gain]]);
    },

    /** A contact's score as it is now, and why. */
    async scoreOf(env_id: number, lead: Lead): Promise<Score> {
      const rules = await rulesOf(null, env_id);
      const [given, known] = await Promise.all([givenTo(null, env_id, [lead]), fieldsFor(null, env_id, rules)]);
      return score(rules, given.get(lead.row) ?? [], lead, known, clock.now(env_id));
    },

    /** All points for events that are kept of a contact, also of rules that are disabled. */
    async held(env_id: number, lead: Pick<Lead, "id" | "row">): Promise<HeldPoints[]> {
      return ((await givenTo(null, env_id, [lead])).get(lead.row) ?? []).map(presentPoints);
    },

    /** Gives what a contact has got to another whose part it stays. */
    async handOn(tx: Tx, env_id: number, from_row: number, to_row: number): Promise<void> {
      for (const points of await store.points(tx, env_id, [from_row])) store.addPoints(tx, { ...points, contact_row: to_row });
      await store.forgetContact(tx, env_id, from_row);
    },

    /** Removes what is kept of a contact who is erased. */
    forgetContact: (tx: Tx, env_id: number, contact_row: number): Promise<void> => store.forgetContact(tx, env_id, contact_row),
  };
}

type Gains = readonly (readonly ReturnType<typeof pointsOf>[])[];

function gainsOf(rules: readonly Rule[], happened: LeadChange["happened"], now: number) {
  return happened.flatMap((happening) => rules.filter(({ condition }) => isMet(condition, happening)).map((rule) => pointsOf(rule, now)));
}

function ruleOf({ id, name, points, condition, decay_days }: ScoreRuleRow): Rule {
  return { id, name, points, condition: JSON.parse(condition) as Condition, decay_days };
}

function presentPoints({ rule_id, points, count, last_at, fades_at }: ContactPointsRow): HeldPoints {
  return { rule_id, points, count, last_at: toTime(last_at), fades_at: toTime(fades_at) };
}
