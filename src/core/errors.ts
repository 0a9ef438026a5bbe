/** The stable catalogue of problems: what a client may branch on. RFC 9457; https://www.rfc-editor.org/rfc/rfc9457 */
export const problems = {
  bad_request: { status: 400, title: "The request could not be read", fix: "Send well-formed JSON in UTF-8." },
  unauthorized: {
    status: 401,
    title: "No valid API key was given",
    fix: "Send the header Authorization: Bearer <key> with a key that is neither revoked nor expired.",
  },
  forbidden: {
    status: 403,
    title: "The key may not do this",
    fix: "Use a key that has the scope named in required_scope, or make one.",
  },
  not_found: {
    status: 404,
    title: "There is no such thing here",
    fix: "Check the id and that the key belongs to the environment in which it was made.",
  },
  method_not_allowed: { status: 405, title: "This address has no such method", fix: "Use a method named in the Allow header." },
  conflict: {
    status: 409,
    title: "The present state does not allow this",
    fix: "Read the resource again; for an idempotency key that was used with another payload, take a new key.",
  },
  precondition_failed: { status: 412, title: "The resource has changed", fix: "Read it again and repeat with its new ETag." },
  payload_too_large: { status: 413, title: "The body is too large", fix: "Send at most 1 MiB, or split the batch." },
  unsupported_media_type: { status: 415, title: "The body is not JSON", fix: "Send Content-Type: application/json." },
  validation_error: { status: 422, title: "Some fields are not valid", fix: "Correct the fields named in details and send again." },
  rate_limit_exceeded: {
    status: 429,
    title: "Too many requests with this key",
    fix: "Wait for the seconds in Retry-After; X-RateLimit-Remaining tells beforehand.",
  },
  daily_send_limit_reached: {
    status: 429,
    title: "The account has used its sends of today",
    fix: "Wait for the seconds in Retry-After, give schedule_at, or send from another account.",
  },
  internal_error: { status: 500, title: "Something failed on our side", fix: "Nothing was done. Report the request_id." },
  unavailable: { status: 503, title: "Not able to take this at the moment", fix: "Repeat after the seconds in Retry-After; it is safe." },
} as const satisfies Record<string, { status: number; title: string; fix: string }>;

export type ProblemCode = keyof typeof problems;

/** Why a field was refused: `details[].error`. */
export const fieldErrors = {
  required: "The field is missing.",
  unknown_field: "There is no such field here; check its spelling.",
  wrong_type: "The value has another type than the field.",
  too_short: "The value is too short, or the list has too few items.",
  too_long: "The value is too long, or the list has too many items.",
  too_small: "The number is below the least that is allowed.",
  too_large: "The number is above the most that is allowed.",
  bad_format: "The value does not have the form that the field asks for.",
  not_allowed: "The value is not one of those that the field accepts.",
  bad_characters: "The text holds a NUL or half of a surrogate pair.",
  not_found: "The value names something that is not here.",
  refused: "The outside service refused the value.",
  taken: "Another one has this value already.",
  unreachable: "Nothing leads to this part.",
  endless: "This part leads back to itself without a wait.",
} as const;

export type FieldErrorCode = keyof typeof fieldErrors;

/** One refused field. `received` is left out for secrets and for texts. */
export interface FieldFault {
  field: string;
  error: FieldErrorCode;
  received?: unknown;
  /** What to do about it, where there can be many and the problem's own message tells of one. */
  message?: string;
}

interface Extras {
  details?: FieldFault[];
  /** Seconds until a repeat can succeed; becomes the Retry-After header of a 429 or 503. */
  retryAfter?: number;
  /** Further members of the problem document, such as required_scope; plugins/docs describes them. */
  members?: Record<string, unknown>;
  headers?: Record<string, string>;
  cause?: unknown;
}

/** An expected failure. The only error whose message reaches a client. */
export class AppError extends Error {
  readonly details: FieldFault[] | undefined;
  readonly retryAfter: number | undefined;
  readonly members: Record<string, unknown> | undefined;
  readonly headers: Record<string, string> | undefined;

  constructor(
    readonly code: ProblemCode,
    message: string,
    extras: Extras = {},
  ) {
    super(message, { cause: extras.cause });
    this.name = "AppError";
    this.details = extras.details;
    this.retryAfter = extras.retryAfter;
    this.members = extras.members;
    this.headers = extras.headers;
  }
}

/** Nothing was done, for a reason that passes: the same can be tried again. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === "unavailable";
}

/** A 404 for a thing of this kind; the id is not echoed, since it may be another tenant's. */
export function notFound(what: string): AppError {
  return new AppError("not_found", `There is no such ${what} in this environment.`);
}

/** A 422 on one field. */
export function invalidField(field: string, error: FieldErrorCode, message: string, received?: unknown): AppError {
  const fault: FieldFault = received === undefined ? { field, error } : { field, error, received };
  return new AppError("validation_error", message, { details: [fault] });
}
