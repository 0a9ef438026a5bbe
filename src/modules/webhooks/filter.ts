import { type Condition, ops, readCondition } from "./filter-condition.ts";
import { fault } from "./filter-fault.ts";

export const FILTER_DEPTH_MAX = 8;
export const FILTER_CONDITIONS_MAX = 50;

/** A condition on an event. A member that isn't there counts as null. */
export type Filter = { and: Filter[] } | { or: Filter[] } | { not: Filter } | Condition;

type Node = Record<string, unknown>;
type Predicate = (event: object) => boolean;

const kinds = ["and", "or", "not", "path"] as const;

/**
 * Reads a filter as a client writes it or a row keeps it.
 * @param path where it stands in the request
 * @param schemas JSON Schemas of the events that it is for, one of which has each path
 * @throws AppError `validation_error` on the part that is wrong
 */
export function readFilter(path: string, filter: unknown, schemas: readonly object[]): Filter {
  let conditions = 0;

  function read(at: string, value: unknown, depth: number): Filter {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw fault(at, "wrong_type", "is an object");
    const node = value as Node;
    const present = kinds.filter((kind) => Object.hasOwn(node, kind));
    const [kind, second] = present;
    if (kind === undefined) throw fault(at, "required", `has one of ${kinds.join(", ")}`);
    if (second !== undefined) throw fault(`${at}.${second}`, "not_allowed", `stands beside ${kind}: there is one of the two`);
    if (kind === "path") {
      if (++conditions > FILTER_CONDITIONS_MAX)
        throw fault(at, "too_long", `is one condition too many: there are up to ${FILTER_CONDITIONS_MAX}`);
      onlyMembers(at, node, ["path", "op", "value"]);
      return readCondition(at, node, schemas);
    }
    if (depth === FILTER_DEPTH_MAX) throw fault(at, "too_large", `lies too deep: and, or and not nest up to ${FILTER_DEPTH_MAX} deep`);
    onlyMembers(at, node, [kind]);
    if (kind === "not") return { not: read(`${at}.not`, node["not"], depth + 1) };
    const parts = readList(at, node, kind, depth);
    return kind === "and" ? { and: parts } : { or: parts };
  }

  function readList(at: string, node: Node, kind: "and" | "or", depth: number): Filter[] {
    const list = node[kind];
    if (!Array.isArray(list)) throw fault(`${at}.${kind}`, "wrong_type", "is a list");
    if (list.length === 0) throw fault(`${at}.${kind}`, "too_short", "holds one part at least");
    return list.map((part: unknown, index) => read(`${at}.${kind}.${index}`, part, depth + 1));
  }

  return read(path, filter, 0);
}

function onlyMembers(at: string, node: Node, allowed: readonly string[]): void {
  const other = Object.keys(node).find((member) => !allowed.includes(member));
  if (other !== undefined) throw fault(`${at}.${other.slice(0, 60)}`, "unknown_field", `is none of ${allowed.join(", ")}`);
}

/** Makes a function of a filter that was read: for whoever asks it of many events. */
export function compileFilter(filter: Filter): Predicate {
  if ("not" in filter) {
    const part = compileFilter(filter.not);
    return (event) => !part(event);
  }
  if ("and" in filter) {
    const parts = filter.and.map(compileFilter);
    return (event) => parts.every((part) => part(event));
  }
  if ("or" in filter) {
    const parts = filter.or.map(compileFilter);
    return (event) => parts.some((part) => part(event));
  }
  const names = filter.path.split(".");
  const holds = ops[filter.op](filter.value);
  return (event) => holds(valueAt(event, names));
}

const compiled = new WeakMap<object, Predicate>();

/** Whether a filter takes an event, as it is sent. Each filter is compiled once. */
export function matches(filter: Filter, event: object): boolean {
  let predicate = compiled.get(filter);
  if (predicate === undefined) compiled.set(filter, (predicate = compileFilter(filter)));
  return predicate(event);
}

function valueAt(event: object, names: readonly string[]): unknown {
  let value: unknown = event;
  for (const name of names) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return null;
    value = (value as Node)[name];
  }
  return value ?? null;
}
