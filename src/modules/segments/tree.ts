import type { ContactCondition } from "#src/modules/contacts/model.ts";
import { readActivity } from "./activity.ts";
import { readAttribute } from "./attributes.ts";
import { fault } from "./fault.ts";
import { type FieldReading, readField } from "./field-condition.ts";
import { CONDITIONS_MAX, DEPTH_MAX } from "./model.ts";
import { readTag } from "./tag.ts";

export type Filter = Record<string, unknown>;

/** A filter that was read. */
export interface ReadFilter {
  /** As a row keeps it: with a field's id in place of its key. */
  kept: Filter;
  condition: ContactCondition;
}

/** What a filter is read with. */
export interface Reading extends FieldReading {
  /** The moment that it is evaluated at (ms). */
  now: number;
}

const kinds = ["and", "or", "not", "attribute", "tag", "field", "activity"] as const;

/**
 * Reads a filter as a client writes it or a row keeps it.
 * @param path where it stands in the request
 * @throws AppError `validation_error` on the part that is wrong
 */
export function readFilter(path: string, filter: unknown, reading: Reading): ReadFilter {
  let conditions = 0;

  function read(at: string, node: unknown, depth: number): ReadFilter {
    if (typeof node !== "object" || node === null || Array.isArray(node)) throw fault(at, "wrong_type", "is an object");
    const given = node as Filter;
    const present = kinds.filter((kind) => Object.hasOwn(given, kind));
    const [kind, second] = present;
    if (kind === undefined) throw fault(at, "required", `has one of ${kinds.join(", ")}`);
    if (second !== undefined) throw fault(`${at}.${second}`, "not_allowed", `stands beside ${kind}: there is one of the two`);
    if (kind === "and" || kind === "or" || kind === "not") {
      if (depth === DEPTH_MAX) throw fault(at, "too_large", `lies too deep: and, or and not nest up to ${DEPTH_MAX} deep`);
      onlyMembers(at, given, [kind]);
      return kind === "not" ? readNot(at, given, depth) : readList(at, given, kind, depth);
    }
    if (++conditions > CONDITIONS_MAX) throw fault(at, "too_long", `is one condition too many: there are up to ${CONDITIONS_MAX}`);
    onlyMembers(at, given, members[kind]);
    return conditionReaders[kind](at, given, reading);
  }

  function readNot(at: string, { not }: Filter, depth: number): ReadFilter {
    const { kept, condition } = read(`${at}.not`, not, depth + 1);
    return { kept: { not: kept }, condition: { not: condition } };
  }

  function readList(at: string, given: Filter, kind: "and" | "or", depth: number): ReadFilter {
    const list = given[kind];
    if (!Array.isArray(list)) throw fault(`${at}.${kind}`, "wrong_type", "is a list");
    if (list.length === 0) throw fault(`${at}.${kind}`, "too_short", "holds one part at least");
    const parts = list.map((node: unknown, index) => read(`${at}.${kind}.${index}`, node, depth + 1));
    const all = parts.map(({ condition }) => condition);
    return { kept: { [kind]: parts.map(({ kept }) => kept) }, condition: kind === "and" ? { all } : { any: all } };
  }

  return read(path, filter, 0);
}

type ConditionKind = Exclude<(typeof kinds)[number], "and" | "or" | "not">;

const members: Record<ConditionKind, readonly string[]> = {
  attribute: ["attribute", "op", "value"],
  tag: ["tag"],
  field: ["field", "op", "value"],
  activity: ["activity", "within_days", "at_least"],
};

const conditionReaders: Record<ConditionKind, (at: string, given: Filter, reading: Reading) => ReadFilter> = {
  attribute: readAttribute,
  tag: readTag,
  field: readField,
  activity: readActivity,
};

function onlyMembers(at: string, given: Filter, allowed: readonly string[]): void {
  const other = Object.keys(given).find((member) => !allowed.includes(member));
  if (other !== undefined) throw fault(`${at}.${other.slice(0, 60)}`, "unknown_field", `is none of ${allowed.join(", ")}`);
}

/** The filter with each field's id replaced. @param keyOf gives the key of an id */
export function showFilter(kept: Filter, keyOf: (id: string) => string): Filter {
  return mapFields(kept, (condition) => ({ ...condition, field: keyOf(condition.field as string) }));
}

/** The conditions of a kept filter that are about a field. */
export function fieldConditions(kept: Filter): Filter[] {
  const found: Filter[] = [];
  mapFields(kept, (condition) => {
    found.push(condition);
    return condition;
  });
  return found;
}

function mapFields(node: Filter, map: (condition: Filter) => Filter): Filter {
  if ("not" in node) return { not: mapFields(node["not"] as Filter, map) };
  if ("and" in node) return { and: (node["and"] as Filter[]).map((part) => mapFields(part, map)) };
  if ("or" in node) return { or: (node["or"] as Filter[]).map((part) => mapFields(part, map)) };
  return "field" in node ? map(node) : node;
}
