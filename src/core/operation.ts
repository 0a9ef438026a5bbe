import type { ProblemCode } from "./errors.ts";
import type { Scope } from "./principal.ts";

/** What an answer holds: a schema (TypeBox schemas are JSON Schema) and an example that fits it. */
export interface AnswerDoc {
  description: string;
  schema?: object;
  example?: unknown;
  /** Response headers, name to description. */
  headers?: Record<string, string>;
  /** Media type where it isn't JSON. */
  type?: string;
  /** Further media types in which it can be asked for. */
  others?: Record<string, { schema: object; example: unknown }>;
}

export interface OperationDoc {
  /** `messages.send`: stable, unique, the name in logs and clients. */
  id: string;
  summary: string;
  description?: string;
  tag: string;
  /** One of these suffices. `any` is any valid key; null needs no key at all. */
  scope: Scope | readonly Scope[] | "any" | null;
  /** By status. */
  answers: Record<number, AnswerDoc>;
  /** Beyond those that every operation of its kind has: see plugins/docs. */
  errors?: ProblemCode[];
  /** A request body to show. */
  example?: unknown;
  /** Takes a file of any size and reads it by itself: an example of each media type that it can have (one with two stars is any). Its path has no parameters. */
  upload?: Record<string, string>;
  /** The largest file that it takes; without it there is no limit. */
  uploadBytesMax?: number;
  /** Takes no Idempotency-Key although it writes. */
  idempotent?: boolean;
}

/**
 * An Elysia `detail`: the OpenAPI operation, with what auth needs (`x-scope`) and what plugins/docs completes (`x-operation`).
 * A route without it does not start: see plugins/auth.
 */
export function operation(doc: OperationDoc) {
  return {
    operationId: doc.id,
    summary: doc.summary,
    tags: [doc.tag],
    ...(doc.description === undefined ? {} : { description: doc.description }),
    "x-operation": doc,
  };
}
