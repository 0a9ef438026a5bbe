import type { Attempt, CreatedWebhook } from "#src/modules/webhooks/model.ts";
import type { DeliveryRow } from "#src/modules/webhooks/deliveries-sql.ts";
import { deliveryId } from "#src/modules/webhooks/delivery-id.ts";
import type { Tenant, TestApp } from "./app.ts";
import type { Answer, Caller } from "./client.ts";

/** As the guide has it. */
export const seed = {
  url: "https://your-app.example.com/webhooks/crm",
  events: ["message.received", "lead.scored", "sequence.completed", "contact.created"],
  secret: "your-chosen-signing-secret",
};

export async function makeWebhook(caller: Caller, ask: Record<string, unknown> = {}): Promise<CreatedWebhook> {
  const { status, body, text } = await caller.post<CreatedWebhook>("/v1/webhooks", { ...seed, ...ask });
  if (status !== 201) throw new Error(`the webhook was refused: ${text}`);
  return body;
}

/** The row of an endpoint with its place in the log. */
export async function rowOf({ db }: TestApp, { env_id }: Pick<Tenant, "env_id">, id: string) {
  const row = await db.read.selectFrom("webhooks").selectAll().where("env_id", "=", env_id).where("id", "=", id).executeTakeFirstOrThrow();
  const place = await db.read
    .selectFrom("webhook_states")
    .select(["tx_id", "seq"])
    .where("env_id", "=", env_id)
    .where("webhook_id", "=", id)
    .executeTakeFirstOrThrow();
  return { ...row, ...place };
}

export const attempt: Attempt = {
  at: 1_778_077_938_000,
  status: 500,
  duration_ms: 41,
  stage: "status",
  error: "the receiver answered 500",
  timestamp: 1_778_077_938,
  signature: "sha256=00ff",
  webhook_signature: "v1,AAAA",
  response: { headers: { "content-type": "text/plain" }, body: "out of order" },
};

/** Writes down what a first attempt came to, and moves the endpoint's place behind the event, as whoever delivers does. */
export async function noteDelivery(
  { db, clock }: TestApp,
  { env_id }: Pick<Tenant, "env_id">,
  webhook_id: string,
  event: { id: string; type: string },
  row: Partial<DeliveryRow> = {},
): Promise<string> {
  const now = clock.now();
  const id = deliveryId(event.id, webhook_id);
  const whole: DeliveryRow = {
    ...{ env_id, id, webhook_id, event_id: event.id, event_type: event.type, status: "dead_letter", tries: 1, next_attempt_at: null },
    ...{ response_status: 500, is_test: 0, replayed_at: null, created_at: now, updated_at: now, body: null },
    attempts: JSON.stringify([attempt]),
    ...row,
  };
  await db.write(async (tx) => {
    await db.in(tx).insertInto("deliveries").values(whole).execute();
    const place = await db.in(tx).selectFrom("events").select(["tx_id", "seq"]).where("id", "=", event.id).executeTakeFirst();
    if (place !== undefined) await db.in(tx).updateTable("webhook_states").set(place).where("webhook_id", "=", webhook_id).execute();
  });
  return id;
}

/** Events of an environment in the order of commits. */
export const eventsOf = ({ db }: TestApp, { env_id }: Pick<Tenant, "env_id">) =>
  db.read
    .selectFrom("events")
    .select(["id", "type", "subject", "data"])
    .where("env_id", "=", env_id)
    .orderBy("tx_id")
    .orderBy("seq")
    .execute();

export function faultOf({ status, body }: Answer<unknown>): [number, string | undefined, string | undefined] {
  const [first] = (body as { details?: { field: string; error: string }[] }).details ?? [];
  return [status, first?.field, first?.error];
}
