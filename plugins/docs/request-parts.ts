import type { OperationDoc } from "#src/core/operation.ts";
import type { Components } from "./components.ts";
import type { Body, Json, Parameter } from "./openapi.ts";
import { publish } from "./schemas.ts";

const idempotencyKey: Json = {
  name: "Idempotency-Key",
  in: "header",
  description: "The same key and payload give the first answer again; another payload is a 409. Kept for at least 24 hours.",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x20-\\x7e]+$" },
};

const ifMatch: Json = {
  name: "If-Match",
  in: "header",
  description: "The ETag that was read: the write is refused with 412 when the resource has changed since.",
  schema: { type: "string" },
};

/** The parameters that the route checks, and the headers that every operation of its kind takes. */
export function parameters(doc: OperationDoc, keyed: boolean, listed: readonly Parameter[], components: Components): Json[] {
  const own = listed.map(({ examples, ...parameter }) => {
    const schema = publish(parameter.schema, components);
    return { ...parameter, schema: examples === undefined ? schema : { ...schema, examples } };
  });
  return [
    ...own,
    ...(keyed ? [components.add("parameters", "IdempotencyKey", idempotencyKey)] : []),
    ...(doc.errors?.includes("precondition_failed") ? [components.add("parameters", "IfMatch", ifMatch)] : []),
  ];
}

/** Where a route doesn't say what it parses, the plugin lists three media types; ours read JSON. */
export function requestBody(doc: OperationDoc, listed: Body, components: Components): Json {
  const said = Object.keys(listed.content).filter((type) => type.includes("/"));
  const types = said.length === 1 ? said : ["application/json"];
  const schema = publish(Object.values(listed.content)[0]?.schema ?? {}, components);
  const content = { schema, ...(doc.example === undefined ? {} : { example: doc.example }) };
  return { ...listed, content: Object.fromEntries(types.map((type) => [type, content])) };
}

const form = { type: "object", properties: { file: { type: "string", contentMediaType: "application/octet-stream" } }, required: ["file"] };

/** A file, as the operation takes it. */
export function uploadBody(upload: NonNullable<OperationDoc["upload"]>, bytes_max: number | undefined): Json {
  const content = Object.entries(upload).map(([type, example]) =>
    type === "multipart/form-data" ? [type, { schema: form }] : [type, { schema: { type: "string" }, example }],
  );
  const description = bytes_max === undefined ? "A file of any size, in UTF-8." : `A file of at most ${bytes_max / 1_000_000} MB.`;
  return { required: true, description, content: Object.fromEntries(content) };
}
