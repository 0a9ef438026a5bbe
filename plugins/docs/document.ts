import type { InternalRoute } from "elysia";
import { complete } from "./complete.ts";
import { createComponents, type Components } from "./components.ts";
import { curl } from "./curl.ts";
import { listOperations } from "./listing.ts";
import type { Document, Json, ListedPaths } from "./openapi.ts";
import { describeWebhooks, type WebhookDoc } from "./webhooks.ts";

export interface DocumentOptions {
  title: string;
  version: string;
  /** Markdown. */
  description: string;
  /** Where the API answers; problems point at its `/errors/{code}`. */
  server_url: string;
  /** What each tag is about, in the order in which they are shown. Markdown. */
  tags: Readonly<Record<string, string>>;
  /** What receivers are sent, by name. */
  webhooks?: Readonly<Record<string, WebhookDoc>>;
}

/**
 * The OpenAPI 3.1.1 document of these routes.
 * @throws Error naming what is wrong: a shown route without `operation({…})`, an operation id used twice, a tag without a
 * description, two different schemas with one `$id`, a reference to a schema that no operation holds
 */
export async function buildDocument(options: DocumentOptions, routes: readonly InternalRoute[]): Promise<Document> {
  const components = createComponents();
  components.add("securitySchemes", "apiKey", apiKey);
  const origin = options.server_url.replace(/\/+$/, "");
  const { paths, calls } = completeAll(await listOperations(routes), origin, components);
  const { title, version, description } = options;
  const webhooks = describeWebhooks(options.webhooks ?? {}, components);
  return {
    openapi: "3.1.1",
    info: { title, version, description, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: origin }],
    tags: describeTags(calls, options.tags),
    paths,
    webhooks,
    components: components.finish(),
  };
}

const apiKey: Json = {
  type: "http",
  scheme: "bearer",
  description: "A key such as `cs_live_a4f9_…` or `cs_test_a4f9_…`. Each operation names the scope that the key must have.",
};

/** One call of an operation, as a line for a shell. */
interface Call {
  tag: string;
  method: string;
  source: string;
}

function completeAll(listed: ListedPaths, origin: string, components: Components): { paths: Document["paths"]; calls: Call[] } {
  const paths: Document["paths"] = {};
  const calls: Call[] = [];
  const ids = new Set<string>();
  for (const [path, methods] of Object.entries(listed)) {
    const completed: Record<string, Json> = {};
    for (const [method, operation] of Object.entries(methods)) {
      const doc = operation["x-operation"];
      if (doc === undefined) throw new Error(`${method.toUpperCase()} ${path} has no operation({…}) in its detail`);
      if (ids.has(doc.id)) throw new Error(`two operations are named ${doc.id}`);
      ids.add(doc.id);
      const place = { method, path, origin };
      const source = curl(doc, place, operation.requestBody !== undefined);
      calls.push({ tag: doc.tag, method, source });
      completed[method] = { ...complete(operation, doc, place, components), "x-codeSamples": [{ lang: "Shell", label: "curl", source }] };
    }
    paths[path] = completed;
  }
  return { paths, calls };
}

/** The tags that are used, each with the call that shows it best: its first POST, or else its first operation. */
function describeTags(calls: readonly Call[], described: Readonly<Record<string, string>>): Json[] {
  const missing = new Set(calls.map(({ tag }) => tag).filter((tag) => described[tag] === undefined));
  if (missing.size > 0) throw new Error(`the reference has no description of the tags ${[...missing].join(", ")}`);
  return Object.entries(described).flatMap(([name, about]) => {
    const own = calls.filter(({ tag }) => tag === name);
    const shown = own.find(({ method }) => method === "post") ?? own[0];
    return shown === undefined ? [] : [{ name, description: `${about}\n\n\`\`\`sh\n${shown.source}\n\`\`\`` }];
  });
}
