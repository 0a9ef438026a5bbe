/** A JSON Schema, as far as the OpenAPI document of Posthouse uses it: https://json-schema.org/draft/2020-12 */
export interface Schema {
  [keyword: string]: unknown;
}

type Check = (keyword: never, value: unknown, schema: Schema) => boolean;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number";

const types: Record<string, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: isText,
  number: isNumber,
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
};

const formats: Record<string, (text: string) => boolean> = {
  "date-time": (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text)),
  uri: (text) => URL.canParse(text),
};

/** What says nothing about a value, and what is followed elsewhere. */
const silent = new Set([
  "description",
  "title",
  "default",
  "contentMediaType",
  "examples",
  "example",
  "$ref",
  "properties",
  "items",
  "anyOf",
  "oneOf",
  "additionalProperties",
]);

const checks: Record<string, Check> = {
  type: (type: string | string[], value) => [type].flat().some((one) => types[one]!(value)),
  enum: (members: unknown[], value) => members.includes(value),
  const: (member: unknown, value) => value === member,
  required: (names: string[], value) => !isObject(value) || names.every((name) => Object.hasOwn(value, name)),
  format: (format: string, value) => !isText(value) || formats[format]!(value),
  pattern: (pattern: string, value) => !isText(value) || new RegExp(pattern, "u").test(value),
  minLength: (least: number, value) => !isText(value) || value.length >= least,
  maxLength: (most: number, value) => !isText(value) || value.length <= most,
  minimum: (least: number, value) => !isNumber(value) || value >= least,
  maximum: (most: number, value) => !isNumber(value) || value <= most,
  minItems: (least: number, value) => !Array.isArray(value) || value.length >= least,
  maxItems: (most: number, value) => !Array.isArray(value) || value.length <= most,
  uniqueItems: (unique: boolean, value) =>
    !unique || !Array.isArray(value) || new Set(value.map((item) => JSON.stringify(item))).size === value.length,
  minProperties: (least: number, value) => !isObject(value) || Object.keys(value).length >= least,
  maxProperties: (most: number, value) => !isObject(value) || Object.keys(value).length <= most,
};

/**
 * What of a value breaks a schema, as paths; nothing when all is well. Stricter than the specification in one thing: a member
 * of an object that the schema does not name is a fault, unless it says `additionalProperties`.
 * @param root the document that holds the schema, for its references
 * @throws Error for a keyword that is not known here
 */
export function faultsOf(value: unknown, schema: Schema, root: Schema, path = "$"): string[] {
  if (isText(schema.$ref)) return faultsOf(value, resolve(schema.$ref, root), root, path);
  const own = Object.entries(schema).flatMap(([keyword, wanted]) => {
    if (silent.has(keyword)) return [];
    const check = checks[keyword];
    if (check === undefined) throw new Error(`the schema at ${path} has a keyword that is not known here: ${keyword}`);
    return check(wanted as never, value, schema) ? [] : [`${path}: ${keyword} ${JSON.stringify(wanted)}, but ${JSON.stringify(value)}`];
  });
  return [
    ...own,
    ...unionFaults(value, schema, root, path),
    ...memberFaults(value, schema, root, path),
    ...itemFaults(value, schema, root, path),
  ];
}

function unionFaults(value: unknown, { anyOf, oneOf }: Schema, root: Schema, path: string): string[] {
  if (Array.isArray(oneOf)) {
    const fitting = oneOf.filter((one: Schema) => faultsOf(value, one, root, path).length === 0);
    return fitting.length === 1 ? [] : [`${path}: ${fitting.length} of oneOf`];
  }
  if (!Array.isArray(anyOf)) return [];
  const tries = anyOf.map((one: Schema) => faultsOf(value, one, root, path));
  return tries.some((faults) => faults.length === 0) ? [] : [`${path}: none of anyOf (${tries.map(([first]) => first).join("; ")})`];
}

function memberFaults(value: unknown, schema: Schema, root: Schema, path: string): string[] {
  if (!isObject(value) || (schema.properties === undefined && schema.additionalProperties === undefined)) return [];
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  const others = schema.additionalProperties;
  return Object.entries(value).flatMap(([name, member]) => {
    if (Object.hasOwn(properties, name)) return faultsOf(member, properties[name]!, root, `${path}.${name}`);
    if (isObject(others)) return faultsOf(member, others, root, `${path}.${name}`);
    return others === true ? [] : [`${path}.${name}: no such member in the schema`];
  });
}

function itemFaults(value: unknown, { items }: Schema, root: Schema, path: string): string[] {
  if (!Array.isArray(value) || !isObject(items)) return [];
  return value.flatMap((item, at) => faultsOf(item, items, root, `${path}[${at}]`));
}

/** Follows `#/components/schemas/Message`. */
export function resolve<T = Schema>(ref: string, root: Schema): T {
  const found = ref
    .slice(2)
    .split("/")
    .reduce<unknown>((part, name) => (part as Schema | undefined)?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], root);
  if (found === undefined) throw new Error(`${ref} leads nowhere`);
  return found as T;
}
