import { type Clock, toTime } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Principal } from "#src/core/principal.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Enqueue } from "#src/jobs/job.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { FieldDefinition } from "#src/modules/fields/model.ts";
import { type Condition, type FieldValues, type KnownFields, presentCondition, readCondition } from "./condition.ts";
import { forgetting } from "./job.ts";
import type { NewScoreRule, ScoreRule, ScoreRulePatch, Scoring, ScoringPatch } from "./model.ts";
import type { ScoreRuleRow, ScoringStore } from "./store.ts";

/** In an environment: a change of a contact looks at all of them. */
const RULES_MAX = 100;

interface Needs {
  store: ScoringStore;
  clock: Clock;
  fields: FieldValues & {
    /** @param tx null reads the last committed snapshot */
    definitions(tx: Tx | null, env_id: number): Maybe<FieldDefinition[]>;
  };
  enqueue: Enqueue;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

type Author = Pick<Principal, "env_id" | "key_id">;

export type ScoringService = ReturnType<typeof createScoringService>;

/** The rules and the thresholds of lead scoring. */
export function createScoringService({ store, clock, fields, enqueue, audit }: Needs) {
  async function knownFields(tx: Tx | null, env_id: number): Promise<KnownFields> {
    return new Map((await fields.definitions(tx, env_id)).map((field) => [field.id, field]));
  }

  async function find(tx: Tx, env_id: number, id: string): Promise<ScoreRuleRow> {
    const row = await store.lockRule(tx, env_id, id);
    if (row === undefined) throw notFound("rule");
    return row;
  }

  return {
    /**
     * Makes a rule. Rules for events count from now on.
     * @throws AppError `validation_error`; `conflict` when there are too many rules
     */
    async create(tx: Tx, { env_id, key_id }: Author, ask: NewScoreRule): Promise<ScoreRule> {
      const { name, points, decay_days = null, enabled = true } = ask;
      checkPoints(points);
      const known = await knownFields(tx, env_id);
      const condition = readCondition(ask.when, [...known.values()], fields);
      checkDecay(condition, decay_days);
      if ((await store.countAlone(tx, env_id)) >= RULES_MAX)
        throw new AppError("conflict", `There are at most ${RULES_MAX} rules: delete one first.`);
      const now = clock.now(env_id);
      const row: ScoreRuleRow = {
        ...{ env_id, id: newId("rule", now, env_id), name, points, condition: JSON.stringify(condition), decay_days },
        ...{ enabled: enabled ? 1 : 0, created_at: now, updated_at: now },
      };
      await store.insertRule(tx, row);
      const after = present(row, known);
      audit(tx, env_id, { actor: key_id, operation: "scoring.rules.create", subject: row.id, before: null, after });
      return after;
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, id: string): Promise<ScoreRule> {
      const row = await store.rule(env_id, id);
      if (row === undefined) throw notFound("rule");
      return present(row, await knownFields(null, env_id));
    },

    /** Newest first. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(env_id: number, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<ScoreRule>> {
      const list = "score rules";
      const before = cursor === undefined ? null : decodeCursor(list, env_id, cursor);
      const [rows, all] = await Promise.all([store.page(env_id, before, offset, limit + 1), store.rules(null, env_id)]);
      const known = await knownFields(null, env_id);
      const count = { total: all.length, capped: false };
      return toPage(
        rows,
        { list, env_id, limit, offset },
        count,
        (row) => present(row, known),
        (row) => row.id,
      );
    },

    /**
     * Changes what is given. Points that were given for events stay as they were given.
     * @throws AppError `not_found`, `validation_error`; what `check` throws
     */
    async patch(tx: Tx, author: Author, id: string, patch: ScoreRulePatch, check: Precondition = unconditional): Promise<ScoreRule> {
      const { env_id, key_id } = author;
      const row = await find(tx, env_id, id);
      const known = await knownFields(tx, env_id);
      const before = present(row, known);
      check(before);
      const { name = row.name, points = row.points, decay_days = row.decay_days, enabled = row.enabled === 1 } = patch;
      checkPoints(points);
      checkDecay(JSON.parse(row.condition) as Condition, decay_days);
      const changed = { ...row, name, points, decay_days, enabled: enabled ? 1 : 0, updated_at: clock.now(env_id) };
      await store.updateRule(tx, changed);
      const after = present(changed, known);
      audit(tx, env_id, { actor: key_id, operation: "scoring.rules.patch", subject: id, before, after });
      return after;
    },

    /** Deletes a rule. Its points count no more, and are removed soon after. @throws AppError `not_found`; what `check` throws */
    async remove(tx: Tx, { env_id, key_id }: Author, id: string, check: Precondition = unconditional): Promise<void> {
      const row = await find(tx, env_id, id);
      const before = present(row, await knownFields(tx, env_id));
      check(before);
      await store.removeRule(tx, env_id, id);
      if ("event" in (JSON.parse(row.condition) as Condition)) enqueue(tx, forgetting({ env_id, rule_id: id }, clock.now(env_id)));
      audit(tx, env_id, { actor: key_id, operation: "scoring.rules.delete", subject: id, before, after: null });
    },

    /** The thresholds. */
    async settings(env_id: number): Promise<Scoring> {
      return presentSettings(await store.settings(null, env_id));
    },

    /** Changes the thresholds; tells nothing of who is past one already. @throws what `check` throws */
    async patchSettings(tx: Tx, author: Author, patch: ScoringPatch, check: Precondition = unconditional): Promise<Scoring> {
      const { env_id, key_id } = author;
      const row = await store.lockSettings(tx, env_id);
      const before = presentSettings(row);
      check(before);
      const thresholds = [...new Set(patch.thresholds ?? before.thresholds)].toSorted((a, b) => a - b);
      const changed = { env_id, thresholds: JSON.stringify(thresholds), updated_at: clock.now(env_id) };
      await store.putSettings(tx, changed);
      const after = presentSettings(changed);
      audit(tx, env_id, { actor: key_id, operation: "scoring.patch", subject: "scoring", before, after });
      return after;
    },
  };
}

function checkPoints(points: number): void {
  if (points === 0) throw invalidField("points", "not_allowed", "points are not 0.", points);
}

function checkDecay(condition: Condition, decay_days: number | null): void {
  if (decay_days !== null && !("event" in condition))
    throw invalidField("decay_days", "not_allowed", "What a contact is does not fade: decay_days is for events.", decay_days);
}

function present(row: ScoreRuleRow, known: KnownFields): ScoreRule {
  const { id, name, points, condition, decay_days, enabled, created_at, updated_at } = row;
  const when = presentCondition(JSON.parse(condition) as Condition, known);
  const times = { created_at: toTime(created_at), updated_at: toTime(updated_at) };
  return { id, name, points, when, decay_days, enabled: enabled === 1, ...times };
}

function presentSettings(row: { thresholds: string; updated_at: number } | undefined): Scoring {
  if (row === undefined) return { thresholds: [], updated_at: null };
  return { thresholds: JSON.parse(row.thresholds) as number[], updated_at: toTime(row.updated_at) };
}
