import type { Delivery, DeliveryDetail } from "#src/modules/webhooks/delivery-model.ts";
import type { CreatedWebhook, RotatedSecret } from "#src/modules/webhooks/model.ts";
import type { Caller } from "#test/support/client.ts";
import { connect, eventually } from "./api.ts";
import { type Posthouse, startPosthouse } from "./posthouse.ts";

/** A serve that delivers to this machine, with a key of its sandbox. */
export async function startDelivering(): Promise<{ posthouse: Posthouse; caller: Caller } & AsyncDisposable> {
  const posthouse = await startPosthouse({ env: { ALLOW_PRIVATE_WEBHOOKS: "true" } });
  const caller = (await connect(posthouse)).as(await posthouse.sandboxKey());
  return { posthouse, caller, [Symbol.asyncDispose]: () => posthouse[Symbol.asyncDispose]() };
}

export async function register(caller: Caller, ask: object): Promise<CreatedWebhook> {
  const { status, body, text } = await caller.post<CreatedWebhook>("/v1/webhooks", { events: ["*"], ...ask });
  if (status !== 201) throw new Error(`the webhook was refused: ${text}`);
  return body;
}

export async function rotate(caller: Caller, id: string, overlap_seconds: number): Promise<RotatedSecret> {
  const { status, body, text } = await caller.post<RotatedSecret>(`/v1/webhooks/${id}/rotate-secret`, { overlap_seconds });
  if (status !== 200) throw new Error(`the secret was not rotated: ${text}`);
  return body;
}

let people = 0;

/** Makes things happen in the sandbox: some events about each of so many people. */
export async function happen(caller: Caller, count: number): Promise<void> {
  const one = () => caller.post("/v1/sandbox/inbound", { from: `@person_${++people}`, text: 'Is "Friday" fine? 🎈 Пятница' });
  for (const { status, text } of await Promise.all(Array.from({ length: count }, one)))
    if (status !== 201) throw new Error(`nothing was received: ${text}`);
}

/** The deliveries of an endpoint, once there are so many and none is pending. */
export async function deliveriesOf(caller: Caller, webhook_id: string, count: number): Promise<Delivery[]> {
  const list = async () => (await caller.get<{ items: Delivery[] }>(`/v1/webhooks/${webhook_id}/deliveries?limit=200`)).body.items;
  return eventually("not all is delivered", list, (items) => items.length >= count && items.every(({ status }) => status !== "pending"));
}

export async function detailOf(caller: Caller, { id }: Pick<Delivery, "id">): Promise<DeliveryDetail> {
  return (await caller.get<DeliveryDetail>(`/v1/deliveries/${id}`)).body;
}
