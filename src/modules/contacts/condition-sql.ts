import { type RawBuilder, sql } from "kysely";
import type { Engine } from "#db/database.ts";
import { lowestId } from "#src/core/ids.ts";
import type { Comparison, ContactCondition } from "./model.ts";

type Condition = RawBuilder<boolean>;
type LeadingPart = { tag: string } | { field: { field_id: string; value: string | number } };
type Leaf = Exclude<ContactCondition, { all: unknown } | { any: unknown } | { not: unknown }>;

/**
 * A condition over `contacts as c`. It is always true or false, never null: so `not` gives those whom its part leaves out, also
 * those of whom nothing is known.
 */
export function compileCondition(engine: Engine, env_id: number, condition: ContactCondition): Condition {
  const compile = (part: ContactCondition) => compileCondition(engine, env_id, part);
  if ("all" in condition) return sql`(${sql.join(condition.all.map(compile), sql` and `)})`;
  if ("any" in condition) return sql`(${sql.join(condition.any.map(compile), sql` or `)})`;
  if ("not" in condition) return sql`(not ${compile(condition.not)})`;
  return compileLeaf(engine, env_id, condition);
}

function compileLeaf(engine: Engine, env_id: number, leaf: Leaf): Condition {
  if ("tag" in leaf)
    return sql`exists (select 1 from contact_tags as t where t.env_id = ${env_id} and t.tag = ${leaf.tag} and t.contact_row = c.row)`;
  if ("field_id" in leaf) return compileField(engine, env_id, leaf);
  if ("statuses" in leaf) return compileActivity(env_id, leaf);
  const column = leaf.column === "consent" ? consentStatus(engine) : sql.ref(`c.${leaf.column}`);
  return compare(engine, column, leaf.is);
}

/**
 * The index has contacts by field and value: with a value each is looked up there, else those whom it has are gathered once. The
 * sign keeps SQLite from taking them for the few to begin with, and from sorting them then.
 */
function compileField(engine: Engine, env_id: number, { field_id, kind, is }: Extract<Leaf, { field_id: unknown }>): Condition {
  const found = sql`from contact_values as v where v.env_id = ${env_id} and v.field_id = ${field_id} and ${compare(engine, sql.ref(`v.${kind}`), is)}`;
  if (is.op === "in") return sql`exists (select 1 ${found} and v.contact_row = c.row)`;
  return sql`(+c.row in (select v.contact_row ${found}))`;
}

function consentStatus(engine: Engine): RawBuilder<unknown> {
  return engine === "sqlite" ? sql`json_extract(c.consent, '$.status')` : sql`(c.consent::json ->> 'status')`;
}

/** Ids of messages are in the order of their making, which is what the index has them by. Only what was received is `received`. */
function compileActivity(env_id: number, { statuses, since, at_least }: Extract<Leaf, { statuses: unknown }>): Condition {
  const recent = since === undefined ? sql`` : sql`and m.id >= ${lowestId("msg", since)}`;
  const found = sql`select 1 from messages as m where m.env_id = ${env_id} and m.contact_id = c.id ${recent} and m.status in (${sql.join(statuses)})`;
  if (at_least === 1) return sql`exists (${found})`;
  return sql`((select count(*) from (${found} limit ${at_least}) as found) >= ${at_least})`;
}

/** What is not there compares as false. Texts are compared as they are: neither engine's own idea of case or order comes in. */
function compare(engine: Engine, value: RawBuilder<unknown>, is: Comparison): Condition {
  switch (is.op) {
    case "set":
      return sql`(${value} is not null)`;
    case "in":
      return sql`(${value} is not null and ${value} in (${sql.join(is.values)}))`;
    case "starts_with":
      return engine === "sqlite"
        ? sql`(${value} is not null and substr(${value}, 1, length(${is.value})) = ${is.value})`
        : sql`(${value} is not null and starts_with(${value}, ${is.value}))`;
    case "contains":
      return engine === "sqlite"
        ? sql`(${value} is not null and instr(${value}, ${is.value}) > 0)`
        : sql`(${value} is not null and strpos(${value}, ${is.value}) > 0)`;
    case "range": {
      const bounds = [
        ...(is.least === undefined ? [] : [sql`${value} >= ${is.least}`]),
        ...(is.above === undefined ? [] : [sql`${value} > ${is.above}`]),
        ...(is.most === undefined ? [] : [sql`${value} <= ${is.most}`]),
        ...(is.below === undefined ? [] : [sql`${value} < ${is.below}`]),
      ];
      return sql`(${value} is not null and ${sql.join(bounds, sql` and `)})`;
    }
    default:
      throw new Error(`an unknown comparison: ${String(is satisfies never)}`);
  }
}

/** The parts of a condition that have rows of contacts as a range of an index; each contact has one there at most. */
export function leadingParts(condition: ContactCondition | undefined): { parts: LeadingPart[]; isWhole: boolean } {
  if (condition === undefined) return { parts: [], isWhole: true };
  if ("all" in condition) {
    const each = condition.all.map(leadingParts);
    return { parts: each.flatMap(({ parts }) => parts), isWhole: each.every(({ isWhole }) => isWhole) };
  }
  if ("tag" in condition) return { parts: [{ tag: condition.tag }], isWhole: true };
  if (!("field_id" in condition) || condition.is.op !== "in" || condition.is.values.length !== 1) return { parts: [], isWhole: false };
  return { parts: [{ field: { field_id: condition.field_id, value: condition.is.values[0]! } }], isWhole: true };
}
