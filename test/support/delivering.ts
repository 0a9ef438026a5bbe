import type { Tx } from "#src/core/tx.ts";
import { createCipher } from "#src/core/cipher.ts";
import { newId } from "#src/core/ids.ts";
import { sealSecrets } from "#src/modules/webhooks/secrets.ts";
import type { TestApp } from "./app.ts";

/** An endpoint as the API would make it. */
export async function addEndpoint(
  app: TestApp,
  env_id: number,
  url: string,
  more: { events?: string[]; retry?: object } = {},
): Promise<string> {
  const id = newId("wh", app.clock.now());
  const cipher = createCipher("a secret of thirty-two characters");
  await app.db.write(async (tx: Tx) => {
    const q = app.db.in(tx);
    const secrets = sealSecrets(cipher, { env_id, id }, [{ number: 1, text: "a-secret-of-24-characters", expires_at: null }]);
    await q
      .insertInto("webhooks")
      .values({
        ...{ env_id, id, url, events: JSON.stringify(more.events ?? ["*"]), filter: null, description: null, headers: null, secrets },
        ...{ signature: null, retry: more.retry === undefined ? null : JSON.stringify(more.retry), paused: 0, disabled_at: null },
        ...{ disabled_reason: null, deleted_at: null, created_at: app.clock.now(), updated_at: app.clock.now() },
      })
      .execute();
    const place = await app.services.feed.head(tx, env_id);
    await q
      .insertInto("webhook_states")
      .values({ env_id, webhook_id: id, ...place, failing_since: null, last_success_at: null, accepted: null })
      .execute();
    await app.services.loop.addLane(tx, env_id, `webhook:${id}`);
  });
  await app.settled();
  await app.services.relay.settled();
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
