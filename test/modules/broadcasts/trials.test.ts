import { describe, expect, test } from "bun:test";
import type { Preview, Statistics } from "#src/modules/broadcasts/model.ts";
import type { BatchAnswer } from "#src/modules/messages/model.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { act, draft, getBroadcast, makePeople, pass, recipientsOf, sentMessages, some } from "#test/support/broadcasting.ts";

const HOUR_MS = 3_600_000;
const test_of_two = (more: object = {}) => ({
  variants: [
    { name: "a", message: { text: "A" } },
    { name: "b", message: { text: "B" } },
  ],
  ...more,
});

describe.each(appEngines)("a trial of a broadcast on %s", (engine) => {
  test("shows what a contact would read, and by whom", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const { body: sarah } = await sandbox.post<{ id: string }>("/v1/contacts", { username: "sarah_m", first_name: "Sarah" });
    const { body: tom } = await sandbox.post<{ id: string }>("/v1/contacts", { email: "tom@example.com" });
    const made = await draft(sandbox, { message: { text: "Hi {first_name}" } });
    const preview = async (contact_id: string) => (await sandbox.post<Preview>(`/v1/broadcasts/${made.id}/preview`, { contact_id })).body;
    expect(await preview(sarah.id)).toMatchObject({ text: "Hi Sarah", missing: [], account_id: 7421, reason: null });
    expect(await preview(tom.id)).toMatchObject({ missing: ["first_name"], account_id: null, reason: "no_address" });
    expect(await sentMessages(sandbox)).toEqual([]);
  });

  test("goes to some, and is not counted", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const [contact] = await makePeople(sandbox, some(1));
    const made = await draft(sandbox, { ab_test: test_of_two() });
    const ask = { to: [contact!, "@colleague_one"], variant: "b" };
    const { body } = await sandbox.post<BatchAnswer>(`/v1/broadcasts/${made.id}/test`, ask);
    expect(body).toMatchObject({ accepted: 2, refused: 0 });
    await app.settled();
    expect((await sentMessages(sandbox)).map(({ text, to, origin }) => [text, to, origin])).toEqual([
      ["B", "@colleague_one", null],
      ["B", "@person_0", null],
    ]);
    expect(await getBroadcast(sandbox, made)).toMatchObject({ status: "draft", counts: { total: 0 } });
    expect((await sandbox.post(`/v1/broadcasts/${made.id}/test`, { ...ask, variant: "c" })).status).toBe(422);
  });

  test("reckons who is reached, who is not and why, and until when", async () => {
    await using app = await setup({ engine });
    const { sandbox, clock } = app;
    await makePeople(sandbox, [...some(7), "sandbox_rejected"]);
    await sandbox.post("/v1/contacts", { email: "tom@example.com", tags: ["vip"] });
    await sandbox.post("/v1/suppressions", { to: "@person_3" });
    await sandbox.patch("/v1/accounts/7421", { daily_cap: 3 });
    const made = await draft(sandbox);
    const { status, body } = await sandbox.post<Task>(`/v1/broadcasts/${made.id}/dry-run`, undefined);
    expect(status).toBe(202);
    await app.settled();
    const { body: task } = await sandbox.get<Task>(`/v1/jobs/${body.id}`);
    expect(task).toMatchObject({
      status: "done",
      progress: { done: 9, total: 9 },
      result: {
        recipients: 9,
        reachable: 7,
        accounts: [{ account_id: 7421, recipients: 7 }],
        unreachable: { no_address: 1, recipient_suppressed: 1 },
        foreseen: { message_rejected: 1 },
        starts_at: new Date(clock.now()).toISOString(),
      },
    });
    // Three today, three tomorrow, one the day after.
    const ends_at = Date.parse((task.result as { ends_at: string }).ends_at);
    expect((ends_at - clock.now()) / (24 * HOUR_MS)).toBeWithin(1, 3);
    expect(await sentMessages(sandbox)).toEqual([]);
    await act(sandbox, made, "send");
    await pass(app, ends_at - clock.now());
    expect(await getBroadcast(sandbox, made)).toMatchObject({ status: "completed", counts: { sent: 6, failed: 1, skipped: 2 } });
  });

  test("reckons with what waits already", async () => {
    await using app = await setup({ engine });
    const { sandbox, clock } = app;
    await makePeople(sandbox, some(3));
    await sandbox.patch("/v1/accounts/7421", { daily_cap: 3 });
    const made = await draft(sandbox);
    const days = async () => {
      const { body } = await sandbox.post<Task>(`/v1/broadcasts/${made.id}/dry-run`, undefined);
      await app.settled();
      const { body: task } = await sandbox.get<Task>(`/v1/jobs/${body.id}`);
      return Math.ceil((Date.parse((task.result as { ends_at: string }).ends_at) - clock.now()) / (24 * HOUR_MS));
    };
    expect(await days()).toBe(0);
    await sandbox.patch("/v1/accounts/7421", { paused: true });
    await act(sandbox, await draft(sandbox), "send");
    await app.settled();
    expect(await days()).toBe(1);
  });

  test("gives those outside of the sample what had most replies", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, some(60));
    const ab_test = test_of_two({ sample_percent: 40, winner: { metric: "replied", after: "2h" } });
    const made = await draft(sandbox, { ab_test });
    await act(sandbox, made, "send");
    await app.settled();
    const sample = (await recipientsOf(sandbox, made, "&status=sent")).items;
    const of = (variant: string) => sample.filter((one) => one.variant === variant);
    // How many there are is up to their ids: test/modules/broadcasts/variants.test.ts counts more of them.
    expect([of("a").length > 0, of("b").length > 0, sample.length < 60]).toEqual([true, true, true]);
    const to = new Map((await sentMessages(sandbox)).map(({ id, to }) => [id, to]));
    // Who answers twice counts once.
    for (const text of ["Yes", "Really"]) await sandbox.post("/v1/sandbox/inbound", { from: to.get(of("b")[0]!.message_id!), text });
    await app.leap(HOUR_MS);
    expect(await getBroadcast(sandbox, made)).toMatchObject({ status: "running", winner: null, counts: { replied: 1 } });
    await app.leap(HOUR_MS);
    const ended = await getBroadcast(sandbox, made);
    expect(ended).toMatchObject({ status: "completed", winner: "b", counts: { total: 60, sent: 60, replied: 1 } });
    const rest = (await recipientsOf(sandbox, made)).items.filter(({ contact_id }) => !sample.some((one) => one.contact_id === contact_id));
    expect(new Set(rest.map(({ variant }) => variant))).toEqual(new Set(["b"]));
    const { body } = await sandbox.get<Statistics>(`/v1/broadcasts/${made.id}/statistics`);
    expect(body).toMatchObject({ totals: { entered: 60, sent: 60, replied: 1 } });
    expect(body.variants).toMatchObject([
      { variant: "a", sent: of("a").length, replied: 0 },
      { variant: "b", sent: 60 - of("a").length, replied: 1 },
    ]);
  });

  test("refuses what can't work", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const fields = async (ask: object) => {
      const all = { name: "N", audience: { tag: "vip" }, message: { text: "Hi" }, account_ids: [7421], ...ask };
      const { status, body } = await sandbox.post<{ details?: { field: string }[] }>("/v1/broadcasts", all);
      return [status, body.details?.map(({ field }) => field)];
    };
    expect(await fields({ message: {} })).toEqual([422, ["message.text"]]);
    expect(await fields({ account_ids: [99] })).toEqual([422, ["account_ids.0"]]);
    expect(await fields({ schedule: { at: "2001-01-01T00:00:00Z" } })).toEqual([422, ["schedule.at"]]);
    expect(await fields({ schedule: { cron: "never" } })).toEqual([422, ["schedule.cron"]]);
    expect(await fields({ schedule: { local: "2030-02-30T09:00" } })).toEqual([422, ["schedule.local"]]);
    expect(await fields({ timezone: "Mars/Olympus" })).toEqual([422, ["timezone"]]);
    expect(await fields({ window: { from: "09:00", to: "09:00" } })).toEqual([422, ["window"]]);
    const mondays = Array.from({ length: 110 }, (_, week) => new Date(app.clock.now() + week * 7 * 24 * HOUR_MS));
    const holidays = mondays.map((day) => new Date(day.getTime() - ((day.getUTCDay() + 6) % 7) * 24 * HOUR_MS).toISOString().slice(0, 10));
    expect(await fields({ window: { weekdays: ["mon"] }, holidays })).toEqual([422, ["window"]]);
    expect(await fields({ ab_test: test_of_two(), message: { text: "Hi" } })).toEqual([422, ["message"]]);
    expect(await fields({ ab_test: test_of_two({ sample_percent: 10 }), message: null })).toEqual([422, ["ab_test.winner"]]);
  });
});
