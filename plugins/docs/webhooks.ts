import type { Components } from "./components.ts";
import type { Json } from "./openapi.ts";
import { publish } from "./schemas.ts";

/** What is sent to receivers: a schema of the whole body, and an example that fits it. */
export interface WebhookDoc {
  summary: string;
  description: string;
  tag: string;
  schema: object;
  example: unknown;
}

const header = (name: string, required: boolean, description: string) => ({
  name,
  in: "header",
  required,
  description,
  schema: { type: "string" },
});

const headers: readonly (Json & { name: string })[] = [
  header("webhook-id", true, "The event's id, the same in every attempt and replay: by it a receiver tells repeats."),
  header("webhook-timestamp", true, "When this attempt was made, in whole seconds since 1970. Refuse what is older than five minutes."),
  header(
    "webhook-signature",
    true,
    "Standard Webhooks: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; several, parted by spaces, after a rotation.",
  ),
  header("X-Signature", false, "`sha256=` and the hex HMAC-SHA256 of the raw body; an endpoint may choose another name or form."),
];

/** The document's `webhooks`, by the name of the event. */
export function describeWebhooks(docs: Readonly<Record<string, WebhookDoc>>, components: Components): Record<string, { post: Json }> {
  return Object.fromEntries(
    Object.entries(docs).map(([name, { summary, description, tag, schema, example }]) => {
      const content = { "application/json": { schema: publish(schema as Json, components), example } };
      const post = {
        operationId: `webhook.${name}`,
        summary,
        description,
        tags: [tag],
        security: [],
        parameters: headers.map((one) => components.add("parameters", one.name, one)),
        requestBody: { required: true, content },
        responses: {
          "2XX": { description: "Any answer of these within 10 seconds is success; its body is not looked at." },
          "4XX": { description: "Tried again, as any other answer is; 410 disables the endpoint." },
        },
      };
      return [name, { post }];
    }),
  );
}
