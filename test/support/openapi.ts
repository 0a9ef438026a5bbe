import { resolve, type Schema } from "./json-schema.ts";

interface Parameter {
  name: string;
  in: string;
  schema: Schema;
}

/** An operation of the reference, as far as tests walk it. */
export interface Operation {
  id: string;
  /** In upper case. */
  method: string;
  /** With `{id}`. */
  path: string;
  /** One of these suffices; `any` is any key, null needs none. */
  scopes: readonly string[] | "any" | null;
  parameters: readonly Parameter[];
  /** Schema and example of a JSON body; null where it takes none. */
  body: { schema: Schema; example: unknown } | null;
  /** By status: the schemas of the answers by media type. */
  responses: Readonly<Record<string, Readonly<Record<string, Schema | undefined>>>>;
}

export interface Reference {
  document: Schema;
  operations: readonly Operation[];
  /** The operation that a request is for, whatever the spelling of its address. */
  find(method: string, pathname: string): Operation | undefined;
}

interface Listed {
  operationId: string;
  "x-scope"?: string[] | "any";
  parameters: (Parameter | { $ref: string })[];
  requestBody?: { content: Record<string, { schema: Schema; example?: unknown }> };
  responses: Record<string, { $ref: string } | { content?: Record<string, { schema?: Schema }> }>;
}

export function readReference(document: Schema): Reference {
  const paths = document.paths as Record<string, Record<string, Listed>>;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, listed]) => toOperation(document, method.toUpperCase(), path, listed)),
  );
  return {
    document,
    operations,
    find(method, pathname) {
      const wanted = method === "HEAD" ? "GET" : method;
      const asked = canonical(pathname);
      const fitting = operations.filter((operation) => operation.method === wanted && patternOf(operation.path).test(asked));
      return fitting.find((operation) => operation.path === asked) ?? fitting[0];
    },
  };
}

function toOperation(document: Schema, method: string, path: string, listed: Listed): Operation {
  const deref = <T extends object>(part: T | { $ref: string }): T => ("$ref" in part ? resolve<T>(part.$ref, document) : part);
  const content = listed.requestBody?.content["application/json"];
  const responses = Object.entries(listed.responses).map(([status, response]) => {
    const types = Object.entries(deref<{ content?: Record<string, { schema?: Schema }> }>(response).content ?? {});
    return [status, Object.fromEntries(types.map(([type, { schema }]) => [type, schema]))] as const;
  });
  return {
    id: listed.operationId,
    method,
    path,
    scopes: listed["x-scope"] ?? null,
    parameters: listed.parameters.map((parameter) => deref<Parameter>(parameter)),
    body: content === undefined ? null : { schema: content.schema, example: content.example },
    responses: Object.fromEntries(responses),
  };
}

function canonical(pathname: string): string {
  const path = pathname.startsWith("/api/v1/") ? pathname.slice(4) : pathname;
  const plain = path.length > 1 ? path.replace(/\/$/, "") : path;
  return plain === "/me" ? "/v1/me" : plain;
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}
