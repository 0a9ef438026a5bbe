import type { Components } from "./components.ts";
import type { Json } from "./openapi.ts";

const SINGLE = ["items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"];
const LISTS = ["anyOf", "oneOf", "allOf", "prefixItems"];
const MAPS = ["properties", "patternProperties"];

/** Formats by which Elysia marks the text that it would turn into a number, a boolean or an object. */
const COERCED = new Set(["integer", "numeric", "boolean", "ObjectString", "ArrayString"]);

/** TypeBox's pattern for the members of a Record with any name. */
const ANY_NAME = "^(.*)$";

/**
 * Turns a TypeBox schema into one of OpenAPI 3.1: whatever has an `$id` becomes a component, bare references become pointers,
 * and unions that only say "or null", "one of these texts" or "also as text" become what they mean.
 * @throws Error when two schemas with one `$id` differ
 */
export function publish(schema: Json, components: Components): Json {
  const { $id, ...rest } = schema;
  if (typeof rest.$ref === "string") return { ...rest, ...reference(rest.$ref, components) };
  const clean = simplify(mapChildren(rest, (child) => publish(child, components)));
  return typeof $id === "string" ? components.add("schemas", $id, clean) : clean;
}

function reference(target: string, components: Components): { $ref: string } {
  return components.refer(target.replace("#/components/schemas/", ""));
}

/** Only keywords that hold schemas are followed: a property may well be named `default` or `items`. */
function mapChildren(schema: Json, each: (child: Json) => Json): Json {
  const result = { ...schema };
  for (const keyword of SINGLE) if (isObject(schema[keyword])) result[keyword] = each(schema[keyword]);
  for (const keyword of LISTS) {
    const list = schema[keyword];
    if (Array.isArray(list)) result[keyword] = list.map((child: Json) => each(child));
  }
  for (const keyword of MAPS) {
    const map = schema[keyword];
    if (isObject(map)) result[keyword] = Object.fromEntries(Object.entries(map).map(([name, child]) => [name, each(child as Json)]));
  }
  return result;
}

function simplify(schema: Json): Json {
  if (Array.isArray(schema.anyOf)) return simplifyUnion(schema, schema.anyOf as Json[]);
  const named = schema.patternProperties;
  if (!isObject(named) || Object.keys(named).join() !== ANY_NAME) return schema;
  const { patternProperties: _, ...rest } = schema;
  return { ...rest, additionalProperties: named[ANY_NAME] };
}

function simplifyUnion(schema: Json, anyOf: Json[]): Json {
  const { anyOf: _, ...outer } = schema;
  const members = anyOf.filter((member) => member.type !== "null" && !COERCED.has(String(member.format)));
  const nullable = anyOf.some((member) => member.type === "null");
  const only = members.length === 1 ? members[0] : oneOfLiterals(members);
  if (only === undefined || typeof only.type !== "string") return schema;
  const merged = { ...outer, ...only };
  if (!nullable) return merged;
  return { ...merged, type: [only.type, "null"], ...(Array.isArray(only.enum) ? { enum: [...(only.enum as unknown[]), null] } : {}) };
}

function oneOfLiterals(members: Json[]): Json | undefined {
  const type = members[0]?.type;
  const same =
    members.length > 0 && members.every((member) => "const" in member && member.type === type && member.description === undefined);
  return same ? { type, enum: members.map((member) => member.const) } : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
