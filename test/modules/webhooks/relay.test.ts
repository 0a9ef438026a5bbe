import { describe, expect, test } from "bun:test";
import { createCipher } from "#src/core/cipher.ts";
import type { Attempt } from "#src/modules/webhooks/model.ts";
import { sealSecrets } from "#src/modules/webhooks/secrets.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { openReceiver, type Received } from "#test/support/receiver.ts";
import { addEndpoint, SECRET, advanceDelivering, delivered, deliveries, happen } from "#test/support/delivering.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const subjectsOf = (received: readonly Received[]) => received.map(({ body }) => (JSON.parse(body) as { subject: string }).subject);
const attemptsOf = ({ attempts }: { attempts: string }) => JSON.parse(attempts) as Attempt[];

async function set(app: TestApp, env_id: number, id: string, row: { paused?: number; secrets?: string }): Promise<void> {
  await app.db.write(async (tx) => {
    await app.db.in(tx).updateTable("webhooks").set(row).where("env_id", "=", env_id).where("id", "=", id).execute();
    app.services.relay.changed(tx, env_id, id);
  });
  await delivered(app);
}

describe.each(appEngines)("delivering on %s", (engine) => {
  test("every event that an endpoint has asked for arrives once, in the form of the log", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url("/all"));
    await addEndpoint(app, env_id, receiver.url("/sent"), { events: ["message.sent", "contact.*"] });
    await app.sandbox.post("/v1/messages/send", { account_id: 7421, to: "@sarah", text: "Hello" });
    await app.sandbox.post("/v1/contacts", { username: "@sarah" });
    await delivered(app);
    const { body } = await app.sandbox.get("/v1/events");
    const items = (body as { items: { event: string; id: string }[] }).items;
    // Of transactions that run at once the one whose ids are older may commit later.
    const ids = (taken: typeof items) => taken.map(({ id }) => id).toSorted();
    expect(receiver.ids("/all").toSorted()).toEqual(ids(items));
    expect(receiver.ids("/sent").toSorted()).toEqual(ids(items.filter(({ event }) => event !== "message.queued")));
    for (const one of receiver.received) expect(JSON.parse(one.body)).toEqual(items.find(({ id }) => id === one.id));
    expect((await deliveries(app, env_id)).map(({ status }) => status)).toEqual(Array(5).fill("delivered"));
  });

  test("what happened before an endpoint was made, or elsewhere, does not arrive", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    await happen(app, app.sandbox.env_id, "ct_1");
    await addEndpoint(app, app.sandbox.env_id, receiver.url());
    await happen(app, app.live.env_id, "ct_2");
    await happen(app, app.sandbox.env_id, "ct_3");
    await delivered(app);
    expect(subjectsOf(receiver.received)).toEqual(["ct_3"]);
  });

  test("events about one person arrive one after another, those about others don't wait", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url());
    const first = Promise.withResolvers<number>();
    let held = false;
    receiver.answer("/hook", ({ body }) => {
      if (held || !body.includes('"ct_1"')) return 200;
      held = true;
      return first.promise;
    });
    await happen(app, env_id, "ct_1", "ct_2", "ct_1", "ct_3", "ct_1");
    await receiver.waitFor(3);
    expect(subjectsOf(receiver.received).toSorted()).toEqual(["ct_1", "ct_2", "ct_3"]);
    first.resolve(200);
    await delivered(app);
    expect(subjectsOf(receiver.received).slice(3)).toEqual(["ct_1", "ct_1"]);
  });

  test("what fails is tried again on schedule, while what follows goes on, and is a dead letter after a day", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url());
    receiver.answer("/hook", ({ body }) => (body.includes('"ct_1"') ? 500 : 200));
    await happen(app, env_id, "ct_1");
    await happen(app, env_id, "ct_1", "ct_2");
    await advanceDelivering(app, 2 * DAY_MS);
    const [first, , other] = await deliveries(app, env_id);
    expect(other).toMatchObject({ status: "delivered", tries: 1, next_attempt_at: null });
    expect(first).toMatchObject({ status: "dead_letter", tries: 9, next_attempt_at: null, response_status: 500 });
    const attempts = attemptsOf(first!);
    expect(attempts.map(({ stage, status }) => [stage, status])).toEqual(Array.from({ length: 9 }, () => ["status", 500]));
    const delays = attempts.slice(1).map(({ at }, before) => (at - attempts[before]!.at) / 1_000);
    for (const [at, seconds] of [5, 30, 120, 600, 3_600, 10_800, 28_800, 43_200].entries()) {
      expect(delays[at]!).toBeGreaterThanOrEqual(seconds * 0.8);
      expect(delays[at]!).toBeLessThanOrEqual(seconds * 1.2 + 1);
    }
  });

  test("an endpoint's own schedule counts for it", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url(), { retry: { max_attempts: 3, schedule: [60] } });
    receiver.answer("/hook", () => 404);
    await happen(app, env_id, "ct_1");
    await advanceDelivering(app, HOUR_MS);
    expect(await deliveries(app, env_id)).toMatchObject([{ status: "dead_letter", tries: 3 }]);
    expect(receiver.received).toHaveLength(3);
  });

  test("a Retry-After that is longer replaces the delay, up to an hour more", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url());
    const asked = [1_800, 100_000, 1];
    receiver.answer("/hook", (_, earlier) => new Response("", { status: 429, headers: { "retry-after": String(asked[earlier] ?? 0) } }));
    await happen(app, env_id, "ct_1");
    await advanceDelivering(app, 3 * HOUR_MS);
    const attempts = attemptsOf((await deliveries(app, env_id))[0]!);
    const delays = attempts.slice(1).map(({ at }, before) => (at - attempts[before]!.at) / 1_000);
    expect(delays[0]).toBe(1_800);
    expect(delays[1]).toBe(3_630);
    expect(delays[2]!).toBeGreaterThanOrEqual(96);
    expect(delays[2]!).toBeLessThanOrEqual(144);
  });

  test("410 disables an endpoint, which then gets nothing more", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    const id = await addEndpoint(app, env_id, receiver.url());
    await addEndpoint(app, env_id, receiver.url("/other"), { events: ["webhook.disabled"] });
    receiver.answer("/hook", () => 410);
    await happen(app, env_id, "ct_1");
    await delivered(app);
    await happen(app, env_id, "ct_2");
    await advanceDelivering(app, HOUR_MS);
    expect(receiver.ids()).toHaveLength(1);
    expect(await deliveries(app, env_id)).toMatchObject([{ status: "dead_letter" }, { webhook_id: expect.not.stringMatching(id) }]);
    const told = receiver.received.find(({ path }) => path === "/other");
    expect(JSON.parse(told!.body)).toMatchObject({
      event: "webhook.disabled",
      subject: id,
      data: { id, reason: "gone", status: "disabled" },
    });
  });

  test("five days of nothing but failures disable an endpoint, and one success begins them anew", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    const id = await addEndpoint(app, env_id, receiver.url(), { retry: { max_attempts: 1, schedule: [5] } });
    const disabled = async () =>
      (await app.db.read.selectFrom("webhooks").select("disabled_at").where("id", "=", id).executeTakeFirst())!.disabled_at;
    let status = 500;
    receiver.answer("/hook", () => status);
    const tryOnce = async () => {
      await happen(app, env_id, "ct_1");
      await delivered(app);
    };
    await tryOnce();
    await advanceDelivering(app, 4 * DAY_MS);
    status = 200;
    await tryOnce();
    status = 500;
    await tryOnce();
    await advanceDelivering(app, 4.9 * DAY_MS);
    await tryOnce();
    expect(await disabled()).toBeNull();
    await advanceDelivering(app, 0.2 * DAY_MS);
    await tryOnce();
    expect(await disabled()).not.toBeNull();
  });

  test("while a rotated secret counts the receiver may know either, and neither waits", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    const id = await addEndpoint(app, env_id, receiver.url());
    const knows = { secret: SECRET };
    receiver.answer("/hook", ({ body, headers }) => {
      const mac = new Bun.CryptoHasher("sha256", knows.secret).update(body).digest("hex");
      return headers.get("x-signature") === `sha256=${mac}` ? 200 : 401;
    });
    const rotate = (expires_at: number | null) => {
      const secrets = [{ number: 2, text: "another-secret-of-24-characters", expires_at: null }];
      const former = { number: 1, text: SECRET, expires_at };
      return set(app, env_id, id, {
        secrets: sealSecrets(createCipher("a secret of thirty-two characters"), { env_id, id }, [...secrets, former]),
      });
    };
    await happen(app, env_id, "ct_1");
    await delivered(app);
    await rotate(app.clock.now() + DAY_MS);
    await happen(app, env_id, "ct_2");
    await delivered(app);
    expect(receiver.received).toHaveLength(2);
    expect(receiver.received[1]!.headers.get("webhook-signature")!.split(" ")).toHaveLength(2);
    knows.secret = "another-secret-of-24-characters";
    await happen(app, env_id, "ct_3");
    await delivered(app);
    expect(receiver.received).toHaveLength(4);
    await happen(app, env_id, "ct_4");
    await delivered(app);
    expect(receiver.received).toHaveLength(5);
    expect((await deliveries(app, env_id)).map(({ status, tries }) => [status, tries])).toEqual(
      Array.from({ length: 4 }, () => ["delivered", 1]),
    );
    await advanceDelivering(app, DAY_MS);
    await happen(app, env_id, "ct_5");
    await delivered(app);
    expect(receiver.received[5]!.headers.get("webhook-signature")!.split(" ")).toHaveLength(1);
  });

  test("what happens while an endpoint is paused waits for it", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    const id = await addEndpoint(app, env_id, receiver.url());
    await set(app, env_id, id, { paused: 1 });
    for (let number = 1; number <= 250; number++) await happen(app, env_id, "ct_1");
    await delivered(app);
    expect(receiver.received).toHaveLength(0);
    await set(app, env_id, id, { paused: 0 });
    const logged = await app.db.read
      .selectFrom("events")
      .select("id")
      .where("env_id", "=", env_id)
      .orderBy("tx_id")
      .orderBy("seq")
      .execute();
    expect(receiver.ids()).toEqual(logged.map(({ id }) => id).slice(-250));
  });

  test("an endpoint that hangs holds up no other, and fails after ten seconds", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url("/hangs"));
    await addEndpoint(app, env_id, receiver.url("/other"));
    receiver.answer("/hangs", () => new Promise(() => {}));
    await happen(app, env_id, ...Array.from({ length: 200 }, (_, at) => `ct_${at}`));
    await receiver.waitFor(200, "/other");
    app.clock.advance(10_000);
    await receiver.waitFor(17, "/hangs");
    const rows = async () => (await deliveries(app, env_id)).filter(({ status }) => status === "pending");
    while ((await rows()).length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(attemptsOf((await rows())[0]!)).toMatchObject([{ status: null, stage: "wait", duration_ms: 10_000, response: null }]);
  });

  test("what a receiver echoed and was forgotten meanwhile does not come back with the next attempt", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url());
    const gate = Promise.withResolvers<number>();
    receiver.answer("/hook", (_, earlier) => (earlier === 0 ? new Response("Sarah Miller", { status: 500 }) : gate.promise));
    await happen(app, env_id, "ct_1");
    await delivered(app);
    const [row] = await deliveries(app, env_id);
    expect(attemptsOf(row!)[0]!.response!.body).toBe("Sarah Miller");
    app.clock.advance(10_000);
    await receiver.waitFor(2);
    await app.db.write((tx) => app.services.webhooks.deliveries.forgetResponses(tx, env_id, [row!.event_id]));
    gate.resolve(200);
    await delivered(app);
    const [after] = await deliveries(app, env_id);
    expect(after).toMatchObject({ status: "delivered", tries: 2 });
    expect(attemptsOf(after!).map(({ status, response }) => [status, response?.body ?? null])).toEqual([
      [500, null],
      [200, "ok"],
    ]);
  });

  test("what can't be made a request of fails as any other attempt", async () => {
    await using app = await setup({ engine, delivers: true });
    const { env_id } = app.sandbox;
    const id = await addEndpoint(app, env_id, "http://127.0.0.1:1/");
    await app.db.write(async (tx) => {
      await app.db.in(tx).updateTable("webhooks").set({ url: "gopher://127.0.0.1/" }).where("id", "=", id).execute();
      app.services.relay.changed(tx, env_id, id);
    });
    await happen(app, env_id, "ct_1");
    await delivered(app);
    const [row] = await deliveries(app, env_id);
    expect(row).toMatchObject({ status: "pending", tries: 1 });
    expect(attemptsOf(row!)).toMatchObject([{ stage: "send", status: null, response: null }]);
    expect(app.log.filter((line) => line.includes("failed in a way that it does not expect"))).toHaveLength(1);
  });

  test("while the database refuses writes outcomes are kept, and nothing is sent again", async () => {
    let full = false;
    await using app = await setup({
      engine,
      delivers: true,
      wrapDatabase: (db) => ({
        ...db,
        write: (work) => (full ? Promise.reject(new Error("the disk is full")) : db.write(work)),
      }),
    });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url());
    const gate = Promise.withResolvers<number>();
    receiver.answer("/hook", () => gate.promise);
    await happen(app, env_id, "ct_1");
    await receiver.waitFor(1);
    full = true;
    gate.resolve(200);
    while (!app.log.some((line) => line.includes("kept and written again"))) await new Promise((resolve) => setImmediate(resolve));
    full = false;
    app.clock.advance(1_000);
    await delivered(app);
    expect(await deliveries(app, env_id)).toMatchObject([{ status: "delivered" }]);
    expect(receiver.received).toHaveLength(1);
  });
});
