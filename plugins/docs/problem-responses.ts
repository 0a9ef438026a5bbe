import { fieldErrors, problems, type ProblemCode } from "#src/core/errors.ts";
import type { Components } from "./components.ts";
import { answerHeaders } from "./headers.ts";
import type { Json } from "./openapi.ts";

/** Members that the example of a code shows beyond those that every problem has. */
const extras: Partial<Record<ProblemCode, Json>> = {
  forbidden: { required_scope: "write:messages" },
  validation_error: { details: [{ field: "to", error: "required" }] },
};

/**
 * The answers for these codes, by status; codes that share a status share the answer, with an example each.
 * @param origin of the catalogue that a problem's `type` points at, without a slash at the end
 */
export function problemResponses(codes: ReadonlySet<ProblemCode>, origin: string, components: Components): Record<number, Json> {
  const byStatus = Map.groupBy(codes, (code) => problems[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => {
      const listed = group.toSorted();
      const name = listed.map(pascalCase).join("Or");
      return [status, components.add("responses", name, problemResponse(status, listed, origin, components))];
    }),
  );
}

function problemResponse(status: number, codes: ProblemCode[], origin: string, components: Components): Json {
  const retry = status === 429 || status === 503 ? ["Retry-After"] : [];
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}. ${problems[code].fix}`).join("\n\n"),
    headers: answerHeaders(components, retry),
    content: {
      "application/problem+json": {
        schema: components.add("schemas", "Problem", problemSchema),
        examples: Object.fromEntries(codes.map((code) => [code, { summary: problems[code].title, value: problemExample(code, origin) }])),
      },
    },
  };
}

function problemExample(code: ProblemCode, origin: string): Json {
  const { status, title, fix } = problems[code];
  const request_id = "req_01JD2Q8Z6W0M4T9V7X3B5N1C8K";
  return {
    ...{ type: `${origin}/errors/${code}`, title, status, detail: fix, instance: "/v1/messages/send" },
    ...{ code, message: fix, request_id, ...extras[code] },
  };
}

const fieldFault: Json = {
  type: "object",
  required: ["field", "error"],
  properties: {
    field: { type: "string", description: "Which field, with dots into objects and lists." },
    error: { type: "string", enum: Object.keys(fieldErrors) },
    received: { description: "What was sent; never a secret or a text." },
    message: { type: "string", description: "What to do about it, where many fields can be wrong at once." },
  },
};

/** RFC 9457, https://www.rfc-editor.org/rfc/rfc9457 */
const problemSchema: Json = {
  type: "object",
  required: ["type", "title", "status", "detail", "instance", "code", "message", "request_id"],
  properties: {
    type: { type: "string", format: "uri", description: "The page of the catalogue that explains the code." },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "What went wrong this time." },
    instance: { type: "string", description: "The address that was asked." },
    code: { type: "string", enum: Object.keys(problems), description: "Stable: what a program may branch on." },
    message: { type: "string", description: "The same as detail." },
    request_id: { type: "string", description: "The same as the header X-Request-Id." },
    details: { type: "array", items: fieldFault, description: "On `validation_error`: each field that was refused." },
    required_scope: { type: "string", description: "On `forbidden`: the scope that the key lacks." },
    contact_ids: { type: "array", items: { type: "string" }, description: "On a `conflict` of contacts: the others." },
    segment_ids: { type: "array", items: { type: "string" }, description: "On a `conflict` of fields: the segments that use it." },
    sequence_ids: { type: "array", items: { type: "string" }, description: "On a `conflict` of fields: the sequences that use it." },
    reason: {
      type: "string",
      description:
        "On a `conflict` of an enrollment: why the contact does not enter: `in_it_already`, `was_in_it`, `too_soon`, `not_active`.",
    },
    enrollment_id: { type: "string", description: "On a `conflict` of an enrollment: the one that stands against it." },
  },
};

function pascalCase(code: string): string {
  return code.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
