import type { NewWebhook } from "#src/modules/webhooks/model.ts";
import type { TestApp } from "./app.ts";

/** Of every endpoint that is made here. */
export const SECRET = "a-secret-of-24-characters";

/** Makes an endpoint, whose address nobody has judged. */
export async function addEndpoint(app: TestApp, env_id: number, url: string, more: Partial<NewWebhook> = {}): Promise<string> {
  const ask = { url, events: ["*"], secret: SECRET, ...more };
  const { id } = await app.db.write((tx) => app.services.webhooks.service.create(tx, { env_id, key_id: "command" }, ask));
  await delivered(app);
  return id;
}

/** Lets everything that is due be delivered. */
export async function delivered(app: TestApp): Promise<void> {
  await app.settled();
  await app.services.relay.settled();
}

/** Moves the clock from one attempt that is due to the next, and lets each be made. */
export async function advanceDelivering(app: TestApp, ms: number): Promise<void> {
  await delivered(app);
  const until = app.clock.now() + ms;
  const nextAt = async () => {
    const due = app.db.read.selectFrom("deliveries").select(({ fn }) => fn.min<number | null>("next_attempt_at").as("at"));
    return (await due.executeTakeFirst())?.at ?? Number.POSITIVE_INFINITY;
  };
  for (let at = await nextAt(); at <= until; at = await nextAt()) {
    app.clock.advance(Math.max(0, at - app.clock.now()));
    await delivered(app);
  }
  app.clock.advance(until - app.clock.now());
  await delivered(app);
}

/** Writes events as the program does, in one transaction. */
export async function happen(app: TestApp, env_id: number, ...subjects: string[]): Promise<void> {
  await app.db.write((tx) => {
    for (const subject of subjects)
      app.services.events.append(tx, env_id, { type: "contact.updated", subject, actor: "command", data: { id: subject } });
  });
}

export const deliveries = (app: TestApp, env_id: number) =>
  app.db.read.selectFrom("deliveries").selectAll().where("env_id", "=", env_id).orderBy("id").execute();
