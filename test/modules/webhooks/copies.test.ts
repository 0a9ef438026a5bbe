import { describe, expect, test } from "bun:test";
import { createFileFolder } from "#plugins/files/folder.ts";
import { createHttpSender } from "#plugins/outbound-http/sender.ts";
import { createCipher } from "#src/core/cipher.ts";
import { createLog } from "#src/core/log.ts";
import { createServices, type Services } from "#src/services.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { openReceiver } from "#test/support/receiver.ts";
import { movingOn } from "#test/support/test-clock.ts";
import { addEndpoint, delivered, deliveries, happen } from "#test/support/delivering.ts";

/** Another process on the same data, as far as delivering goes. */
async function openCopy({ db, clock, filesFolder }: TestApp): Promise<Services & AsyncDisposable> {
  const http = createHttpSender({ clock, allowPrivate: true });
  const services = createServices({
    ...{ db, clock, http, events_retention_days: 30, channels: [] },
    log: createLog({ level: "error", format: "json", now: clock.now, write() {} }),
    cipher: createCipher("a secret of thirty-two characters"),
    gate: { check: () => Promise.reject(new Error("nobody asks")) },
    ring() {},
    files: { folder: createFileFolder(filesFolder), cacheBytesMax: 0 },
    tellCopies() {},
    amSole: () => Promise.resolve(db.engine === "sqlite"),
  });
  await services.loop.start();
  await services.feed.start();
  await services.relay.start();
  return Object.assign(services, {
    async [Symbol.asyncDispose]() {
      await movingOn(clock, services.relay.stop());
      await movingOn(clock, services.loop.stop());
      await http.close();
    },
  });
}

async function stop({ clock, services }: TestApp): Promise<void> {
  await movingOn(clock, services.relay.stop());
  await movingOn(clock, services.loop.stop());
}

const subjects = (count: number) => Array.from({ length: count }, (_, at) => `ct_${at}`);

describe.each(appEngines)("delivering by several, one after the other, on %s", (engine) => {
  test("what one leaves when it stops another delivers, and nothing that was recorded again", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url());
    // One that is held keeps the place where it is, while those after it are recorded.
    const gate = Promise.withResolvers<number>();
    receiver.answer("/hook", ({ body }, earlier) => (body.includes('"ct_0"') && earlier === 0 ? gate.promise : 200));
    await happen(app, env_id, ...subjects(300));
    await receiver.waitFor(300);
    while ((await deliveries(app, env_id)).length < 299) await new Promise((resolve) => setImmediate(resolve));
    await stop(app);
    expect(await deliveries(app, env_id)).toHaveLength(299);
    await happen(app, env_id, "ct_300");
    await using copy = await openCopy(app);
    await copy.loop.settled();
    await copy.relay.settled();
    gate.resolve(200);
    const came = receiver.ids();
    expect(new Set(came).size).toBe(301);
    expect(came).toHaveLength(302);
    expect((await deliveries(app, env_id)).map(({ status }) => status)).toEqual(Array(301).fill("delivered"));
  });

  test("what was recorded far ahead of one that hangs is not delivered again", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url());
    receiver.answer("/hook", ({ body }, earlier) => (body.includes('"ct_0"') && earlier === 0 ? new Promise(() => {}) : 200));
    await happen(app, env_id, ...subjects(2_000));
    await receiver.waitFor(2_000);
    while ((await deliveries(app, env_id)).length < 1_999) await new Promise((resolve) => setImmediate(resolve));
    await stop(app);
    await using copy = await openCopy(app);
    await copy.loop.settled();
    await copy.relay.settled();
    expect(receiver.ids()).toHaveLength(2_001);
    expect(await deliveries(app, env_id)).toHaveLength(2_000);
  }, 20_000);

  test("retries are made by whoever serves when they are due", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url());
    receiver.answer("/hook", (_, earlier) => (earlier === 0 ? 500 : 200));
    await happen(app, env_id, "ct_1");
    await delivered(app);
    await stop(app);
    app.clock.advance(3_600_000);
    await using copy = await openCopy(app);
    await copy.loop.settled();
    await copy.relay.settled();
    expect(await deliveries(app, env_id)).toMatchObject([{ status: "delivered", tries: 2 }]);
  });
});

describe.each(appEngines.filter((engine) => engine === "postgres"))("delivering by copies on %s", (engine) => {
  test("an endpoint is served by one of them, and by the other when the first falls silent", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url());
    await using copy = await openCopy(app);
    await happen(app, env_id, "ct_1");
    await delivered(app);
    expect(copy.relay.stats().endpoints).toBe(0);
    // As if the first copy's process stood still: the other takes its lanes when their leases have ended.
    await app.db.write((tx) =>
      app.db
        .in(tx)
        .updateTable("lanes")
        .set({ owner: "copy_gone", lease_until: 0 })
        .execute()
        .then(() => undefined),
    );
    copy.loop.refreshLanes();
    while (copy.relay.stats().endpoints === 0) await new Promise((resolve) => setImmediate(resolve));
    await happen(app, env_id, "ct_2");
    copy.feed.rescan();
    await copy.relay.settled();
    while (receiver.received.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await delivered(app);
    await copy.relay.settled();
    const rows = await deliveries(app, env_id);
    expect(rows.map(({ status }) => status)).toEqual(["delivered", "delivered"]);
    expect(app.services.relay.stats().endpoints).toBe(0);
  });
});
