import type { ProblemCode } from "#src/core/errors.ts";
import type { AnswerDoc, OperationDoc } from "#src/core/operation.ts";
import type { Components } from "./components.ts";
import { answerHeaders } from "./headers.ts";
import type { Json, ListedOperation } from "./openapi.ts";
import { problemResponses } from "./problem-responses.ts";
import { parameters, requestBody, uploadBody } from "./request-parts.ts";
import { publish } from "./schemas.ts";

const WRITES = new Set(["post", "put", "patch", "delete"]);

export interface Place {
  /** In lower case. */
  method: string;
  /** With `{id}`. */
  path: string;
  /** Origin of the server, without a slash at the end. */
  origin: string;
}

/** The operation as it stands in the document: what the route says, and what holds for every operation of its kind. */
export function complete(listed: ListedOperation, doc: OperationDoc, place: Place, components: Components): Json {
  const { "x-operation": _, parameters: taken = [], requestBody: body, ...rest } = listed;
  const keyed = WRITES.has(place.method) && doc.idempotent !== false;
  const codes = problemCodes(listed, doc, keyed);
  return {
    ...rest,
    description: describe(doc),
    ...(doc.scope === null ? {} : { "x-scope": doc.scope === "any" ? "any" : [doc.scope].flat() }),
    security: doc.scope === null ? [] : [{ apiKey: [] }],
    parameters: parameters(doc, keyed, taken, components),
    ...(doc.upload === undefined ? {} : { requestBody: uploadBody(doc.upload, doc.uploadBytesMax) }),
    ...(body === undefined ? {} : { requestBody: requestBody(doc, body, components) }),
    responses: { ...problemResponses(codes, place.origin, components), ...answers(doc, keyed, components) },
  };
}

function describe(doc: OperationDoc): string {
  const scopes = [doc.scope].flat().map((scope) => `\`${scope}\``);
  const needs = doc.scope === null ? "Needs no key." : doc.scope === "any" ? "Scope: any key." : `Scope: ${scopes.join(" or ")}`;
  return doc.description === undefined ? needs : `${doc.description}\n\n${needs}`;
}

function problemCodes(listed: ListedOperation, doc: OperationDoc, keyed: boolean): Set<ProblemCode> {
  const has = (place: string) => listed.parameters?.some((parameter) => parameter.in === place) ?? false;
  const codes = new Set<ProblemCode>(["internal_error", "unavailable", ...(doc.errors ?? [])]);
  const add = (condition: boolean, ...more: ProblemCode[]) => condition && more.forEach((code) => codes.add(code));
  add(doc.scope !== null, "unauthorized", "rate_limit_exceeded");
  add(doc.scope !== null && doc.scope !== "any", "forbidden");
  add(doc.upload !== undefined, "bad_request", "unsupported_media_type", "validation_error");
  add(doc.uploadBytesMax !== undefined, "payload_too_large");
  add(listed.requestBody !== undefined, "bad_request", "payload_too_large", "unsupported_media_type", "validation_error");
  add(has("query"), "validation_error");
  add(has("path"), "not_found");
  add(keyed, "conflict");
  return codes;
}

function answers(doc: OperationDoc, keyed: boolean, components: Components): Json {
  const replayable = (status: string) => (keyed && status < "300" ? ["Idempotency-Replayed"] : []);
  return Object.fromEntries(
    Object.entries(doc.answers).map(([status, answer]) => [status, describeAnswer(answer, replayable(status), components)]),
  );
}

function describeAnswer(answer: AnswerDoc, more: readonly string[], components: Components): Json {
  const headers = answerHeaders(components, more, answer.headers);
  const { description, schema, example, type = "application/json", others = {} } = answer;
  if (schema === undefined && answer.type === undefined) return { description, headers };
  const content = {
    ...(schema === undefined ? {} : { schema: publish(schema as Json, components) }),
    ...(example === undefined ? {} : { example }),
  };
  const alike = Object.entries(others).map(([type, { schema, example }]) => [
    type,
    { schema: publish(schema as Json, components), example },
  ]);
  return { description, headers, content: { [type]: content, ...Object.fromEntries(alike) } };
}
