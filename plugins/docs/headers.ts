import type { Components } from "./components.ts";
import type { Json } from "./openapi.ts";

const seconds = { type: "integer", minimum: 0 };

const known: Record<string, Json> = {
  "X-Request-Id": { description: "Names this request in the log; give it when you report a fault.", schema: { type: "string" } },
  "X-RateLimit-Limit": { description: "Requests a minute that the key may make.", schema: { type: "integer" } },
  "X-RateLimit-Remaining": { description: "Requests that are left in this window.", schema: { type: "integer" } },
  "X-RateLimit-Reset": { description: "Whole seconds until the window is full again.", schema: seconds },
  "Retry-After": { description: "Seconds until a repeat can succeed.", schema: seconds },
  "Idempotency-Replayed": {
    description: "`true` when this is the kept answer to an earlier request with the same key.",
    schema: { type: "string", const: "true" },
  },
};

const ALWAYS = ["X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];

/**
 * The headers that every answer carries, and more of those that are known here.
 * @param own headers of the one answer, name to description
 */
export function answerHeaders(components: Components, more: readonly string[], own: Readonly<Record<string, string>> = {}): Json {
  const shared = [...ALWAYS, ...more].map((name) => [name, components.add("headers", name, known[name] ?? {})]);
  const single = Object.entries(own).map(([name, description]) => [name, { description, schema: { type: "string" } }]);
  return Object.fromEntries([...single, ...shared]);
}
