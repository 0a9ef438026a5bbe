import { ValueErrorType } from "@sinclair/typebox/errors";
import { AppError, type FieldErrorCode, type FieldFault, type ProblemCode, problems } from "#src/core/errors.ts";

/** A problem document: RFC 9457. */
export interface Problem {
  status: number;
  headers: Record<string, string>;
  body: string;
  code: ProblemCode;
}

interface Where {
  public_url: string;
  /** The path that was asked for. */
  instance: string;
  request_id: string;
}

export function toProblem(error: AppError, { public_url, instance, request_id }: Where): Problem {
  const { status, title } = problems[error.code];
  const body = JSON.stringify({
    type: `${public_url}/errors/${error.code}`,
    title,
    status,
    detail: error.message,
    instance,
    code: error.code,
    message: error.message,
    request_id,
    ...(error.details === undefined ? {} : { details: error.details }),
    ...error.members,
  });
  const headers: Record<string, string> = { "content-type": "application/problem+json", ...error.headers };
  if (error.retryAfter !== undefined) headers["retry-after"] = String(error.retryAfter);
  return { status, headers, body, code: error.code };
}

/** What Elysia's validator tells of a field. */
interface Fault {
  path?: string;
  message?: string;
  type?: ValueErrorType;
  value?: unknown;
  schema?: { type?: string; const?: unknown; anyOf?: { type?: string; const?: unknown }[] };
  /** For a union: what is wrong with the value as each of its members. */
  errors?: Iterable<Iterable<Fault>>;
}

const kinds: Partial<Record<ValueErrorType, FieldErrorCode>> = {
  [ValueErrorType.ArrayMaxItems]: "too_long",
  [ValueErrorType.ArrayMinItems]: "too_short",
  [ValueErrorType.ArrayUniqueItems]: "not_allowed",
  [ValueErrorType.IntegerMaximum]: "too_large",
  [ValueErrorType.IntegerMinimum]: "too_small",
  [ValueErrorType.NumberMaximum]: "too_large",
  [ValueErrorType.NumberMinimum]: "too_small",
  [ValueErrorType.Literal]: "not_allowed",
  [ValueErrorType.ObjectAdditionalProperties]: "unknown_field",
  [ValueErrorType.ObjectMaxProperties]: "too_long",
  [ValueErrorType.ObjectMinProperties]: "too_short",
  [ValueErrorType.ObjectRequiredProperty]: "required",
  [ValueErrorType.StringFormat]: "bad_format",
  [ValueErrorType.StringPattern]: "bad_format",
  [ValueErrorType.StringMaxLength]: "too_long",
  [ValueErrorType.StringMinLength]: "too_short",
  [ValueErrorType.Union]: "not_allowed",
};

/** Fields whose value is never repeated: secrets and texts. */
const unspoken = /(^|\.)(text|token|secret|key|password|code|metadata|headers|url)(\.|$)/;
const FAULTS_MAX = 20;
const RECEIVED_MAX = 100;

/** A 422 out of what the validator found; in the body's own words, since `on` may be a query or a path. */
export function fromValidation(all: Iterable<Fault>, on: string): AppError {
  const details: FieldFault[] = [];
  const seen = new Set<string>();
  for (const fault of toldWithin(all)) {
    if (details.length === FAULTS_MAX) break;
    const detail = toFault(fault, on);
    if (seen.has(detail.field)) continue;
    seen.add(detail.field);
    details.push(detail);
  }
  const first = details[0];
  const message = first === undefined ? "The request is not valid." : `${first.field}: ${sentence(first.error)}`;
  return new AppError("validation_error", message, { details });
}

/** Where a field takes an object or something else, and has got an object: what is wrong within that. */
function* toldWithin(faults: Iterable<Fault>): Generator<Fault> {
  for (const fault of faults) {
    const inner = faultsOfObject(fault);
    if (inner === undefined) yield fault;
    else yield* toldWithin(inner);
  }
}

function faultsOfObject({ value, schema, errors = [] }: Fault): Iterable<Fault> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const objects = (schema?.anyOf ?? []).flatMap(({ type }, at) => (type === "object" ? [at] : []));
  return objects.length === 1 ? [...errors][objects[0]!] : undefined;
}

function toFault(fault: Fault, on: string): FieldFault {
  const field = (fault.path ?? "").slice(1).replaceAll("/", ".") || on;
  const error = errorOf(fault);
  const { value } = fault;
  const plain = typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && value.length <= RECEIVED_MAX);
  return plain && error !== "unknown_field" && !unspoken.test(field) ? { field, error, received: value } : { field, error };
}

function errorOf({ path, type, value, schema, errors = [] }: Fault): FieldErrorCode {
  if (value === undefined && type !== ValueErrorType.ObjectAdditionalProperties) return "required";
  const known = type === undefined ? undefined : kinds[type];
  if (known === "not_allowed" && schema?.anyOf !== undefined && !schema.anyOf.every((part) => "const" in part))
    return fittingTypeError(errors, path);
  return known ?? "wrong_type";
}

/** Of the types that a field can have, what is wrong with the value as one of them that it is of. */
function fittingTypeError(members: Iterable<Iterable<Fault>>, path: string | undefined): FieldErrorCode {
  for (const [first] of members) {
    const known = first?.type === undefined || first.path !== path ? undefined : kinds[first.type];
    if (known !== undefined && known !== "not_allowed") return known;
  }
  return "wrong_type";
}

function sentence(error: FieldErrorCode): string {
  const words: Partial<Record<FieldErrorCode, string>> = {
    required: "is missing",
    unknown_field: "is not a field of this request",
    too_short: "is too short",
    too_long: "is too long",
    too_small: "is too small",
    too_large: "is too large",
    bad_format: "does not have the right form",
    not_allowed: "is not one of the accepted values",
  };
  return `${words[error] ?? "has the wrong type"}.`;
}
