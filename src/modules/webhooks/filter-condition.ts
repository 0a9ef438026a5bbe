import { fault } from "./filter-fault.ts";
import { type Kind, type Place, placeAt } from "./filter-schema.ts";

const PATH_LENGTH_MAX = 200;
const TEXT_LENGTH_MAX = 500;
const VALUES_MAX = 100;

type Scalar = string | number | boolean | null;

export interface Condition {
  /** Names of members with dots between them. */
  path: string;
  op: Op;
  value?: Scalar | Scalar[];
}

type Value = Condition["value"];
type Test = (actual: unknown) => boolean;

/** Numbers are compared with numbers and texts with texts, by their characters: times of the API come out right by that. */
const compared =
  (holds: (order: number) => boolean) =>
  (value: Value): Test =>
  (actual) => {
    if (typeof actual === "number" && typeof value === "number") return holds(actual - value);
    return typeof actual === "string" && typeof value === "string" && holds(actual < value ? -1 : actual > value ? 1 : 0);
  };

/** What each operation asks of the value at the path; null where there is none. */
export const ops = {
  eq:
    (value: Value): Test =>
    (actual) =>
      actual === value,
  ne:
    (value: Value): Test =>
    (actual) =>
      actual !== value,
  in: (value: Value): Test => {
    const among = new Set<unknown>(value as Scalar[]);
    return (actual) => among.has(actual);
  },
  contains:
    (value: Value): Test =>
    (actual) =>
      Array.isArray(actual) ? actual.includes(value) : typeof actual === "string" && actual.includes(value as string),
  starts_with:
    (value: Value): Test =>
    (actual) =>
      typeof actual === "string" && actual.startsWith(value as string),
  gt: compared((order) => order > 0),
  gte: compared((order) => order >= 0),
  lt: compared((order) => order < 0),
  lte: compared((order) => order <= 0),
  exists:
    (value: Value): Test =>
    (actual) =>
      (actual !== null) === (value ?? true),
};
type Op = keyof typeof ops;
const opNames = Object.keys(ops) as Op[];

/** @throws AppError `validation_error` on the member that is wrong */
export function readCondition(at: string, given: Record<string, unknown>, schemas: readonly object[]): Condition {
  const { path, op, value } = given;
  if (typeof path !== "string") throw fault(`${at}.path`, "wrong_type", "is a text, such as data.account_id");
  if (path === "" || path.length > PATH_LENGTH_MAX) throw fault(`${at}.path`, path === "" ? "too_short" : "too_long", "names a member");
  if (!opNames.includes(op as Op))
    throw fault(`${at}.op`, op === undefined ? "required" : "not_allowed", `is one of ${opNames.join(", ")}`);
  const place = placeAt(`${at}.path`, path, schemas);
  const condition: Condition = { path, op: op as Op };
  if (op === "exists") {
    if (value !== undefined && typeof value !== "boolean") throw fault(`${at}.value`, "wrong_type", "is true or false for exists");
    return value === undefined ? condition : { ...condition, value };
  }
  if (value === undefined) throw fault(`${at}.value`, "required", `is needed for ${String(op)}`);
  return { ...condition, value: readValue(`${at}.value`, op as Op, value, path, place) };
}

function readValue(at: string, op: Op, value: unknown, path: string, place: Place): Scalar | Scalar[] {
  if (op === "in") {
    if (!Array.isArray(value)) throw fault(at, "wrong_type", "is a list for in");
    if (value.length === 0 || value.length > VALUES_MAX)
      throw fault(at, value.length === 0 ? "too_short" : "too_long", `holds 1 to ${VALUES_MAX} values`);
    return value.map((one: unknown, index) => readEqual(`${at}.${index}`, one, path, place));
  }
  if (op === "eq" || op === "ne") return readEqual(at, value, path, place);
  if (op === "contains") return readPart(at, value, path, place);
  const scalar = readScalar(at, value);
  if (op === "starts_with" && typeof scalar !== "string") throw fault(at, "wrong_type", "is a text for starts_with");
  if (typeof scalar !== "string" && typeof scalar !== "number") throw fault(at, "wrong_type", `is a number or a text for ${op}`);
  needKind(at, typeof scalar as Kind, path, place);
  return scalar;
}

/** A part of a text, or a member of a list. */
function readPart(at: string, value: unknown, path: string, place: Place): Scalar {
  const scalar = readScalar(at, value);
  if (place.isAny || (typeof scalar === "string" && place.kinds.has("string"))) return scalar;
  if (place.items === null) {
    const what = place.kinds.has("string") ? `is a text: ${path} is one` : `can't be asked of ${path}, which is neither a text nor a list`;
    throw fault(at, "wrong_type", what);
  }
  return readEqual(at, scalar, `a member of ${path}`, place.items);
}

function readEqual(at: string, value: unknown, path: string, place: Place): Scalar {
  const scalar = readScalar(at, value);
  needKind(at, scalar === null ? "null" : (typeof scalar as Kind), path, place);
  if (typeof scalar === "string" && place.texts !== null && !place.texts.has(scalar))
    throw fault(at, "not_allowed", `can't be what ${path} is: that is one of ${[...place.texts].join(", ")}`);
  return scalar;
}

function readScalar(at: string, value: unknown): Scalar {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value !== "string") throw fault(at, "wrong_type", "is a text, a number, true, false or null");
  if (value.length > TEXT_LENGTH_MAX) throw fault(at, "too_long", `has ${TEXT_LENGTH_MAX} characters at most`);
  return value;
}

const words: Record<Kind, string> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  null: "null",
  object: "an object",
  array: "a list",
};

function needKind(at: string, kind: Kind, path: string, { isAny, kinds }: Place): void {
  if (isAny || kinds.has(kind)) return;
  const can = [...kinds].map((one) => words[one]).join(" or ");
  throw fault(at, "wrong_type", `is ${words[kind]}, and ${path} is ${can}${kinds.has("array") ? " (use contains)" : ""}`);
}
