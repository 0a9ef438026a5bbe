import { type ProblemCode, problems } from "#src/core/errors.ts";
import { faultsOf, type Schema } from "./json-schema.ts";
import type { Operation, Reference } from "./openapi.ts";

/** An answer as it came, its body read. */
export interface Seen {
  method: string;
  pathname: string;
  status: number;
  headers: Headers;
  text: string;
}

const LIMITS = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];

/** What any address can answer, also one that has no operation: a body, a header or a query that it does not take can be malformed. */
const ANYWHERE = new Set<ProblemCode>([
  "method_not_allowed",
  "bad_request",
  "payload_too_large",
  "unsupported_media_type",
  "validation_error",
]);

/**
 * What breaks the contract in an answer: the headers that each carries, the form of problems, and what the reference says of
 * the operation, its schemas included.
 */
export function breachesOf(seen: Seen, reference: Reference): string[] {
  const operation = reference.find(seen.method, seen.pathname);
  const breaches = [...headerBreaches(seen)];
  if (seen.status >= 400) breaches.push(...problemBreaches(seen, operation, reference));
  else if (operation !== undefined) breaches.push(...answerBreaches(seen, operation, reference));
  return breaches;
}

function headerBreaches({ status, headers }: Seen): string[] {
  const breaches = LIMITS.filter((name) => !/^\d+$/.test(headers.get(name) ?? "")).map((name) => `${name} is ${headers.get(name)}`);
  if (!/^req_[0-9A-HJKMNP-TV-Z]{26}$/.test(headers.get("x-request-id") ?? "")) breaches.push("x-request-id is missing");
  if (headers.has("retry-after") && status !== 429 && status !== 503) breaches.push("retry-after on another status than 429 and 503");
  if ((status === 429 || status === 503) && !/^[1-9]\d*$/.test(headers.get("retry-after") ?? "")) breaches.push("retry-after is missing");
  return breaches;
}

function problemBreaches({ method, status, headers, text }: Seen, operation: Operation | undefined, { document }: Reference): string[] {
  if (headers.get("content-type") !== "application/problem+json") return [`content-type is ${headers.get("content-type")}`];
  if (method === "HEAD") return [];
  const problem = JSON.parse(text) as { code: ProblemCode; type: string; message: string; detail: string; request_id: string };
  const { code } = problem;
  if (!Object.hasOwn(problems, code)) return [`the code ${code} is not in the catalogue`];
  const schema = { $ref: "#/components/schemas/Problem" };
  const breaches = faultsOf(problem, schema, document);
  if (problems[code].status !== status) breaches.push(`${code} came with ${status}`);
  if (code === "internal_error") breaches.push("it failed on our side");
  if (!problem.type.endsWith(`/errors/${code}`)) breaches.push(`type is ${problem.type}`);
  if (problem.message !== problem.detail) breaches.push("message differs from detail");
  if (problem.request_id !== headers.get("x-request-id")) breaches.push("request_id differs from the header");
  if (code === "method_not_allowed" && !headers.has("allow")) breaches.push("allow is missing");
  if (operation !== undefined && !ANYWHERE.has(code) && operation.responses[status] === undefined)
    breaches.push(`the reference does not say that it can answer ${status}`);
  return breaches;
}

function answerBreaches({ method, status, headers, text }: Seen, operation: Operation, { document }: Reference): string[] {
  const documented = operation.responses[status];
  if (documented === undefined) return [`the reference does not say that it answers ${status}`];
  const type = (headers.get("content-type") ?? "").split(";")[0]!;
  if (type === "" || method === "HEAD") return text === "" ? [] : ["a body without a type"];
  if (type !== "application/json") return [];
  const schema = documented[type];
  if (schema === undefined) return [`the reference does not say that it answers ${type}`];
  const body: unknown = JSON.parse(text);
  const breaches = faultsOf(body, schema, document);
  return operation.id === "events.list" ? [...breaches, ...eventBreaches(body as { items: Told[] }, document)] : breaches;
}

/** An event as far as its schema is found by it. */
interface Told {
  event: string;
}

/** Every event fits what the reference says that receivers get. */
function eventBreaches({ items }: { items: readonly Told[] }, document: Schema): string[] {
  const webhooks = document.webhooks as Record<string, { post: { requestBody: { content: Record<string, { schema: Schema }> } } }>;
  return items.flatMap((item) =>
    faultsOf(item, webhooks[item.event]!.post.requestBody.content["application/json"]!.schema, document).map(
      (fault) => `${item.event} ${fault}`,
    ),
  );
}
