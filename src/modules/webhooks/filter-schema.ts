import { fault } from "./filter-fault.ts";

/** A JSON Schema, as far as the models of events use it. */
interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  items?: Schema;
}

export type Kind = "string" | "number" | "boolean" | "null" | "object" | "array";

/** What can stand at a place of an event. */
export interface Place {
  /** Nothing is said about it. */
  isAny: boolean;
  kinds: ReadonlySet<Kind>;
  /** Where a text can only be one of these. */
  texts: ReadonlySet<string> | null;
  /** What a member of a list can be; null where it is none. */
  items: Place | null;
}

/**
 * What stands at a path in the events of these schemas. A member that some of them don't have can be null.
 * @param at where the path stands in the request
 * @throws AppError `validation_error` when none of them has it, with what there is in its place
 */
export function placeAt(at: string, path: string, schemas: readonly object[]): Place {
  let variants = schemas.flatMap((schema) => variantsOf(schema as Schema));
  let canLack = false;
  const passed: string[] = [];
  for (const name of path.split(".")) {
    const found = variants.map((variant) => member(variant, name));
    const next = found.flatMap((one) => one?.variants ?? []);
    if (next.length === 0) throw fault(at, "not_found", `names ${path}, which ${tell(passed, variants)}`);
    canLack ||= found.some((one) => one === null || one.canLack);
    variants = next;
    passed.push(name);
  }
  const place = toPlace(variants);
  return canLack ? { ...place, kinds: new Set([...place.kinds, "null"]) } : place;
}

function variantsOf(schema: Schema): Schema[] {
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return parts.length === 0 ? [schema] : parts.flatMap(variantsOf);
}

const saysNothing = (schema: Schema) => schema.type === undefined && schema.const === undefined && schema.enum === undefined;

/** @returns null where it has no such member */
function member(schema: Schema, name: string): { variants: Schema[]; canLack: boolean } | null {
  if (saysNothing(schema) && schema.properties === undefined) return { variants: [schema], canLack: true };
  const { properties = {}, patternProperties = {}, additionalProperties, required = [] } = schema;
  if (Object.hasOwn(properties, name)) return { variants: variantsOf(properties[name]!), canLack: !required.includes(name) };
  const fitting = Object.entries(patternProperties).filter(([pattern]) => new RegExp(pattern, "u").test(name));
  if (fitting.length > 0) return { variants: fitting.flatMap(([, one]) => variantsOf(one)), canLack: true };
  if (additionalProperties === undefined || additionalProperties === false) return null;
  return { variants: additionalProperties === true ? [{}] : variantsOf(additionalProperties), canLack: true };
}

function tell(passed: readonly string[], variants: readonly Schema[]): string {
  const names = [...new Set(variants.flatMap(({ properties = {} }) => Object.keys(properties)))];
  const where = passed.length === 0 ? "an event" : passed.join(".");
  const there = names.length === 0 ? `${where} has no members` : `${where} has ${names.join(", ")}`;
  return `is in none of the events that the endpoint asks for: ${there}`;
}

function toPlace(variants: readonly Schema[]): Place {
  const kinds = new Set(variants.flatMap(kindsOf));
  const literal = variants.filter((variant) => kindsOf(variant).includes("string")).map(textsOf);
  const items = variants.filter((variant) => kindsOf(variant).includes("array")).flatMap((variant) => variantsOf(variant.items ?? {}));
  return {
    isAny: variants.some((variant) => saysNothing(variant) && variant.properties === undefined),
    kinds,
    texts: literal.length > 0 && literal.every((texts) => texts !== null) ? new Set(literal.flat()) : null,
    items: items.length === 0 ? null : toPlace(items),
  };
}

function kindsOf(schema: Schema): Kind[] {
  if (schema.const !== undefined) return [kindOf(schema.const)];
  if (schema.enum !== undefined) return schema.enum.map(kindOf);
  if (schema.type === undefined) return schema.properties === undefined ? [] : ["object"];
  return [schema.type].flat().map((type) => (type === "integer" ? "number" : (type as Kind)));
}

function kindOf(value: unknown): Kind {
  return value === null ? "null" : Array.isArray(value) ? "array" : (typeof value as Kind);
}

function textsOf(schema: Schema): string[] | null {
  const values = schema.const === undefined ? schema.enum : [schema.const];
  return values === undefined ? null : values.filter((value) => typeof value === "string");
}
