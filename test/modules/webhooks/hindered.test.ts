import { describe, expect, test } from "bun:test";
import type { Attempt } from "#src/modules/webhooks/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { openReceiver } from "#test/support/receiver.ts";
import { addEndpoint, delivered, deliveries, happen } from "#test/support/delivering.ts";

const attemptsOf = ({ attempts }: { attempts: string }) => JSON.parse(attempts) as Attempt[];

describe.each(appEngines)("delivering that is hindered, on %s", (engine) => {
  test("a replay that is asked for while the last attempt is under way is made, whatever comes of that", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url(), { retry: { max_attempts: 2, schedule: [5] } });
    const gate = Promise.withResolvers<number>();
    receiver.answer("/hook", (_, earlier) => (earlier === 1 ? gate.promise : earlier === 0 ? 500 : 200));
    await happen(app, env_id, "ct_1");
    await delivered(app);
    const { id, next_attempt_at } = (await deliveries(app, env_id))[0]!;
    app.clock.advance(next_attempt_at! - app.clock.now());
    await receiver.waitFor(2);
    expect((await app.sandbox.post(`/v1/deliveries/${id}/replay`)).status).toBe(202);
    gate.resolve(500);
    await receiver.waitFor(3);
    await delivered(app);
    const [row] = await deliveries(app, env_id);
    expect(row).toMatchObject({ status: "delivered", tries: 1 });
    expect(attemptsOf(row!).map(({ status }) => status)).toEqual([500, 500, 200]);
  });

  test("with one endpoint of fifty hanging the others get everything meanwhile", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    const others = Array.from({ length: 49 }, (_, number) => `/other/${number}`);
    for (const path of ["/hangs", ...others]) await addEndpoint(app, env_id, receiver.url(path));
    receiver.answer("/hangs", () => new Promise(() => {}));
    const subjects = Array.from({ length: 30 }, (_, at) => `ct_${at}`);
    await happen(app, env_id, ...subjects);
    for (const path of others) await receiver.waitFor(subjects.length, path);
    for (const path of others) expect(new Set(receiver.ids(path)).size).toBe(subjects.length);
    expect(receiver.ids("/hangs").length).toBeLessThan(subjects.length);
  }, 20_000);

  test("what became due while outcomes could not be recorded is tried as soon as they can", async () => {
    let full = false;
    await using app = await setup({
      engine,
      delivers: true,
      wrapDatabase: (db) => ({ ...db, write: (work) => (full ? Promise.reject(new Error("the disk is full")) : db.write(work)) }),
    });
    await using receiver = openReceiver();
    const { env_id } = app.sandbox;
    await addEndpoint(app, env_id, receiver.url("/busy"));
    await addEndpoint(app, app.live.env_id, receiver.url("/other"));
    receiver.answer("/other", (_, earlier) => (earlier === 0 ? 500 : 200));
    await happen(app, app.live.env_id, "ct_1");
    await delivered(app);
    const gate = Promise.withResolvers<number>();
    receiver.answer("/busy", () => gate.promise);
    await happen(app, env_id, ...Array.from({ length: 2_500 }, (_, at) => `ct_${at}`));
    await receiver.waitFor(16, "/busy");
    full = true;
    gate.resolve(200);
    // From then on nothing more begins.
    await receiver.waitFor(2_048, "/busy");
    for (let second = 0; second < 8; second++) {
      app.clock.advance(1_000);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(receiver.ids("/other")).toHaveLength(1);
    full = false;
    app.clock.advance(1_000);
    await receiver.waitFor(2, "/other");
    await delivered(app);
    expect(receiver.ids("/busy")).toHaveLength(2_500);
  }, 20_000);
});
