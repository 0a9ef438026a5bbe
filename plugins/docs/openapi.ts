import type { OperationDoc } from "#src/core/operation.ts";

/** A JSON object: the parts of an OpenAPI document that are only passed on. https://spec.openapis.org/oas/v3.1.1.html */
export type Json = Record<string, unknown>;

export interface Parameter extends Json {
  name: string;
  in: string;
  schema: Json;
}

export interface Body extends Json {
  content: Record<string, { schema?: Json; example?: unknown }>;
}

/** An operation as @elysiajs/swagger lists it: the members of `detail` with the schemas of the route. */
export interface ListedOperation extends Json {
  "x-operation"?: OperationDoc;
  parameters?: Parameter[];
  requestBody?: Body;
}

/** Path with `{id}`, then method in lower case. */
export type ListedPaths = Record<string, Record<string, ListedOperation>>;

export interface Document extends Json {
  openapi: string;
  paths: Record<string, Record<string, Json>>;
  webhooks: Record<string, { post: Json }>;
  components: Json;
}
