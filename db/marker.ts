import type { Compilable, Kysely } from "kysely";
import type { Build } from "./database.ts";
import type { Schema } from "./schema.ts";

/** A place in a prepared statement that a value takes on each call. */
class Marker {
  constructor(readonly name: PropertyKey) {}
}

type Value = string | number | bigint | null | Uint8Array;

export interface Template {
  sql: string;
  /**
   * Puts the values into the order of the statement's parameters.
   * @throws Error on what both engines do not keep alike: undefined, booleans, dates, objects
   */
  bind(values: object): Value[];
}

/**
 * Compiles a statement once, with markers for its values.
 * @throws Error when a named value stands in the statement twice or not at all
 */
export function compileTemplate<Values extends object>(db: Kysely<Schema>, build: Build<Values>): Template {
  const asked = new Set<PropertyKey>();
  const query: Compilable<unknown> = build(db, (name) => {
    if (asked.has(name)) throw new Error(`prepared statement: the value ${String(name)} is asked for twice`);
    asked.add(name);
    return new Marker(name) as Values[typeof name];
  });
  const { sql, parameters } = query.compile();
  const found = parameters.filter((parameter) => parameter instanceof Marker);
  if (found.length !== asked.size || new Set(found.map((marker) => marker.name)).size !== asked.size)
    throw new Error(`prepared statement: a value is missing in or doubled by the statement: ${sql}`);
  return { sql, bind: (values) => bindAll(parameters, values as Record<PropertyKey, unknown>) };
}

function bindAll(parameters: readonly unknown[], values: Record<PropertyKey, unknown>): Value[] {
  const bound: Value[] = [];
  for (const parameter of parameters) {
    const value = parameter instanceof Marker ? values[parameter.name] : parameter;
    if (!isValue(value)) throw new Error(`prepared statement: ${nameOf(parameter)} can't be ${typeof value}`);
    bound.push(value);
  }
  return bound;
}

function isValue(value: unknown): value is Value {
  return (
    typeof value === "string" || typeof value === "number" || value === null || typeof value === "bigint" || value instanceof Uint8Array
  );
}

function nameOf(parameter: unknown): string {
  return parameter instanceof Marker ? `the value ${String(parameter.name)}` : "a constant";
}
