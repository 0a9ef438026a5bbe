import { describe, expect, test } from "bun:test";
import type { NewBroadcast } from "#src/modules/broadcasts/model.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { act, draft, getBroadcast, makePeople, pass, recipientsOf, sentMessages, some } from "#test/support/broadcasting.ts";
import { makeUser, playUsers } from "#test/support/user-channel.ts";

const DAY_MS = 86_400_000;

/** An app whose live environment has user accounts that send nowhere. @param limits of each account */
async function town(engine: TestApp["db"]["engine"], limits: readonly object[]) {
  const users = playUsers();
  const app = await setup({ engine, channels: () => [users.channel] });
  const ids: number[] = [];
  for (const [at, more] of limits.entries()) {
    const id = await makeUser(app, `+44770090${String(at).padStart(4, "0")}`);
    const free = { gap_seconds: [0, 0], daily_cap: null, new_peer_daily_cap: null };
    await app.live.patch(`/v1/accounts/${id}`, { ...free, ...more });
    ids.push(id);
  }
  return {
    app,
    ids,
    live: app.live,
    draft: (ask: Partial<NewBroadcast> = {}) => draft(app.live, { account_ids: ids, ...ask }),
    /** How many messages each account has sent. */
    async shares() {
      const by = Map.groupBy(await sentMessages(app.live), ({ account_id }) => account_id);
      return ids.map((id) => by.get(id)?.filter(({ sent_at }) => sent_at !== null).length ?? 0);
    },
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

describe.each(appEngines)("a broadcast over several accounts on %s", (engine) => {
  test("leaves nobody to an account that is paused while another can go on", async () => {
    await using pool = await town(engine, [{ paused: true }, {}]);
    await makePeople(pool.live, some(4));
    const made = await pool.draft();
    await act(pool.live, made, "send");
    await pool.app.settled();
    expect(await getBroadcast(pool.live, made)).toMatchObject({ status: "completed", counts: { sent: 4 } });
    expect(await pool.shares()).toEqual([0, 4]);
  });

  test("gives each what it can still send today, and what is left over to the next days", async () => {
    await using pool = await town(engine, [{ daily_cap: 2 }, { daily_cap: 6 }]);
    await makePeople(pool.live, some(12));
    const made = await pool.draft();
    await act(pool.live, made, "send");
    await pool.app.settled();
    expect(await pool.shares()).toEqual([2, 6]);
    await pass(pool.app, DAY_MS);
    expect(await getBroadcast(pool.live, made)).toMatchObject({ status: "completed", counts: { sent: 12 } });
  });

  test("reckons the shares as it then makes them", async () => {
    await using pool = await town(engine, [{ daily_cap: 2 }, { daily_cap: 6 }, { new_peer_daily_cap: 0 }]);
    await makePeople(pool.live, some(8));
    const made = await pool.draft();
    const { body } = await pool.live.post<Task>(`/v1/broadcasts/${made.id}/dry-run`, undefined);
    await pool.app.settled();
    const { body: task } = await pool.live.get<Task>(`/v1/jobs/${body.id}`);
    const { accounts } = task.result as { accounts: { account_id: number; recipients: number }[] };
    expect(accounts.map(({ account_id, recipients }) => [account_id, recipients])).toEqual([
      [pool.ids[0]!, 2],
      [pool.ids[1]!, 6],
    ]);
  });
});

describe.each(appEngines)("a broadcast to new people on %s", (engine) => {
  test("keeps nobody waiting whom the account knows, behind those for whom the day has no room", async () => {
    await using pool = await town(engine, [{}]);
    const { app, live } = pool;
    await live.post("/v1/messages/send", { account_id: pool.ids[0], to: "@customer", text: "Hello" });
    await app.settled();
    await live.patch(`/v1/accounts/${pool.ids[0]}`, { new_peer_daily_cap: 1 });
    await makePeople(live, [...some(3), "customer"]);
    const made = await pool.draft();
    await act(live, made, "send");
    await app.settled();
    expect((await getBroadcast(live, made)).counts).toMatchObject({ sent: 2, queued: 0, waiting: 2 });
    const { items } = await recipientsOf(live, made, "&status=waiting");
    expect(items.map(({ reason }) => reason)).toEqual(["new_peer_daily_cap", "new_peer_daily_cap"]);
    await pass(app, 2 * DAY_MS);
    expect(await getBroadcast(live, made)).toMatchObject({ status: "completed", counts: { sent: 4 } });
  });

  test("counts among them who has a message that waits, and not whom the account knows", async () => {
    await using pool = await town(engine, [{}]);
    const { app, live } = pool;
    const path = `/v1/accounts/${pool.ids[0]}`;
    await live.post("/v1/messages/send", { account_id: pool.ids[0], to: "@customer", text: "Hello" });
    await app.settled();
    await live.patch(path, { new_peer_daily_cap: 2, paused: true });
    await makePeople(live, ["customer", ...some(3)]);
    const made = await pool.draft({ throttle: { per_minute: 60 } });
    await act(live, made, "send");
    for (let second = 0; second < 5; second++) await app.advance(1_100);
    expect((await getBroadcast(live, made)).counts).toMatchObject({ queued: 3, waiting: 1 });
    expect((await recipientsOf(live, made, "&status=waiting")).items).toMatchObject([{ reason: "new_peer_daily_cap" }]);
  });

  test("skips them where the account writes to nobody new, and ends", async () => {
    await using pool = await town(engine, [{ new_peer_daily_cap: 0 }]);
    await makePeople(pool.live, some(2));
    const made = await pool.draft();
    await act(pool.live, made, "send");
    await pool.app.settled();
    expect(await getBroadcast(pool.live, made)).toMatchObject({ status: "completed", counts: { skipped: 2, sent: 0 } });
    expect((await recipientsOf(pool.live, made)).items.map(({ reason }) => reason)).toEqual(["new_peer_daily_cap", "new_peer_daily_cap"]);
  });

  test("waits until Telegram lets the account write to them again", async () => {
    await using pool = await town(engine, [{}]);
    const { app, live } = pool;
    await makePeople(live, some(2));
    await app.db.write((tx) => app.services.accounts.restrict(tx, live.env_id, pool.ids[0]!));
    const made = await pool.draft();
    await act(live, made, "send");
    await app.settled();
    const until = new Date(app.clock.now() + DAY_MS).toISOString();
    expect((await recipientsOf(live, made)).items).toMatchObject([
      { status: "waiting", reason: "account_restricted", due_at: until },
      { status: "waiting", reason: "account_restricted", due_at: until },
    ]);
    await app.leap(DAY_MS);
    expect(await getBroadcast(live, made)).toMatchObject({ status: "completed", counts: { sent: 2 } });
  });
});

describe.each(appEngines)("a broadcast on %s", (engine) => {
  test("ends when its account or its last contact goes", async () => {
    await using pool = await town(engine, [{ paused: true }]);
    const { app, live } = pool;
    const [, gone] = await makePeople(live, some(3));
    const made = await pool.draft({ throttle: { per_minute: 1 } });
    await act(live, made, "send");
    await app.settled();
    expect((await getBroadcast(live, made)).counts).toMatchObject({ queued: 1, waiting: 2 });
    expect((await live.delete(`/v1/contacts/${gone}`)).status).toBeLessThan(300);
    expect((await live.delete(`/v1/accounts/${pool.ids[0]}`)).status).toBeLessThan(300);
    await app.advance(130_000);
    expect(await getBroadcast(live, made)).toMatchObject({ status: "completed", counts: { failed: 1, skipped: 2 } });
    const { items } = await recipientsOf(live, made);
    expect(items.map(({ reason }) => reason).toSorted()).toEqual(["account_unauthorized", "contact_not_found", "no_account"]);
  });

  test("writes to each once, whoever pauses and resumes it at the same time", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const people = some(60);
    await makePeople(sandbox, people);
    const made = await draft(sandbox);
    await act(sandbox, made, "send");
    await Promise.all((["pause", "resume", "pause", "resume", "pause", "resume"] as const).map((one) => act(sandbox, made, one)));
    await app.settled();
    await act(sandbox, made, "resume");
    await app.settled();
    expect(await getBroadcast(sandbox, made)).toMatchObject({
      status: "completed",
      counts: { total: 60, sent: 60, queued: 0, waiting: 0 },
    });
    const sent = (await sentMessages(sandbox)).filter(({ sent_at }) => sent_at !== null);
    expect(sent.map(({ to }) => to).toSorted()).toEqual(people.map((name) => `@${name}`).toSorted());
  });
});
