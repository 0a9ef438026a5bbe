import { describe, expect, test } from "bun:test";
import type { DeliveryRow } from "#db/schema-webhooks.ts";
import { lowestId, newId } from "#src/core/ids.ts";
import { purgeEventsAt } from "#src/modules/events/job.ts";
import { deliveryId } from "#src/modules/webhooks/delivery-id.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { appendEvents, followEvents, listEvents } from "#test/support/events.ts";
import { queue } from "#test/support/sending.ts";

const DAY_MS = 86_400_000;

async function purge(app: TestApp): Promise<void> {
  await app.db.write((tx) => app.services.loop.enqueue(tx, purgeEventsAt(app.clock.now())));
  await app.settled();
}

const subjects = async (app: TestApp, after: string | null = null) =>
  (await followEvents(app.sandbox, "limit=200", after)).seen.map(({ subject }) => subject);

const many = (mark: string, count: number) => Array.from({ length: count }, (_, at) => `ct_${mark}_${at}`);

/** An endpoint's row, as far as anything of it is needed here. */
async function addEndpoint({ db, sandbox: { env_id }, clock }: TestApp): Promise<string> {
  const id = newId("wh", clock.now());
  const empty = { filter: null, description: null, headers: null, signature: null, retry: null };
  const state = { paused: 0, disabled_at: null, disabled_reason: null, deleted_at: null };
  const row = { env_id, id, url: "https://example.com", events: "[]", secrets: "", ...empty, ...state, created_at: 0, updated_at: 0 };
  await db.write((tx) => db.in(tx).insertInto("webhooks").values(row).execute());
  return id;
}

/** A delivery that was made `ageMs` ago, of an event as old. */
async function addDelivery(app: TestApp, webhook_id: string, status: string, ageMs: number): Promise<string> {
  const { env_id } = app.sandbox;
  const created_at = app.clock.now() - ageMs;
  const event_id = lowestId("evt", created_at).slice(0, -6) + newId("evt").slice(-6);
  const row: DeliveryRow = {
    ...{ env_id, id: deliveryId(event_id, webhook_id), webhook_id, event_id, event_type: "message.sent", status, tries: 1 },
    ...{ next_attempt_at: null, response_status: null, is_test: 0, replayed_at: null, created_at, updated_at: created_at },
    ...{ body: null, attempts: "[]" },
  };
  await app.db.write((tx) => app.db.in(tx).insertInto("deliveries").values(row).execute());
  return row.id;
}

describe.each(appEngines)("events that are older than they are kept, on %s", (engine) => {
  test("are removed, in every environment, and the others stay", async () => {
    await using app = await setup({ engine });
    await appendEvents(app, app.sandbox, "contact.updated", many("old", 450));
    await appendEvents(app, app.live, "contact.updated", many("live", 3));
    await app.leap(29 * DAY_MS);
    await appendEvents(app, app.sandbox, "contact.updated", many("young", 2));
    await appendEvents(app, app.live, "contact.updated", many("young", 1));
    await purge(app);
    expect(await subjects(app)).toHaveLength(452);
    await app.leap(DAY_MS + 1);
    await purge(app);
    expect(await subjects(app)).toEqual(many("young", 2));
    expect((await listEvents(app.live)).items.map(({ subject }) => subject)).toEqual(many("young", 1));
  });

  test("leave the newest one, so that places only grow and who follows misses nothing", async () => {
    await using app = await setup({ engine });
    await appendEvents(app, app.sandbox, "contact.updated", many("old", 5));
    const { next_cursor } = await listEvents(app.sandbox);
    await app.leap(400 * DAY_MS);
    await purge(app);
    expect(await subjects(app)).toEqual(["ct_old_4"]);
    await purge(app);
    const id = await queue(app.sandbox);
    await app.settled();
    expect(await subjects(app, next_cursor)).toEqual([id, id]);
  });

  test("are no longer an after, which says why", async () => {
    await using app = await setup({ engine });
    await appendEvents(app, app.sandbox, "contact.updated", many("old", 2));
    const [first] = (await listEvents(app.sandbox)).items;
    await app.leap(31 * DAY_MS);
    await purge(app);
    const { status, body } = await app.sandbox.get<{ detail: string }>(`/v1/events?after=${first!.id}`);
    expect([status, body.detail]).toEqual([422, expect.stringContaining("no longer kept: events are removed after 30 days")]);
  });

  test("go with their deliveries, but for those that still wait, and with the figures of their hours", async () => {
    await using app = await setup({ engine });
    const endpoint = await addEndpoint(app);
    await addDelivery(app, endpoint, "delivered", 31 * DAY_MS);
    await addDelivery(app, endpoint, "dead_letter", 31 * DAY_MS);
    const waits = await addDelivery(app, endpoint, "pending", 31 * DAY_MS);
    const young = await addDelivery(app, endpoint, "dead_letter", 29 * DAY_MS);
    const hours = [31, 29].map((days) => app.clock.now() - days * DAY_MS);
    const figures = { attempts: 1, failures: 0, delivered: 1, dead_letters: 0, duration_ms: 1, duration_ms_max: 1 };
    const { env_id } = app.sandbox;
    await app.db.write((tx) =>
      app.db
        .in(tx)
        .insertInto("webhook_hours")
        .values(hours.map((hour) => ({ env_id, webhook_id: endpoint, hour, ...figures })))
        .execute(),
    );
    await purge(app);
    const left = await app.db.read.selectFrom("deliveries").select("id").orderBy("id").execute();
    expect(left.map(({ id }) => id)).toEqual([waits, young]);
    expect(await app.db.read.selectFrom("webhook_hours").select("hour").execute()).toEqual([{ hour: hours[1]! }]);
  });
});
