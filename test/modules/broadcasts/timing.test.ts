import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import type { Broadcast } from "#src/modules/broadcasts/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { act, draft, getBroadcast as get, makePeople, pass, recipientsOf, sentMessages, some } from "#test/support/broadcasting.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe.each(appEngines)("the time of a broadcast on %s", (engine) => {
  test("is each contact's own", async () => {
    await using app = await setup({ engine });
    const { sandbox, clock } = app;
    const zones = { auckland: "Pacific/Auckland", berlin: "Europe/Berlin", kathmandu: "Asia/Kathmandu", new_york: "America/New_York" };
    for (const [username, timezone] of Object.entries(zones))
      await sandbox.post("/v1/contacts", { username: `in_${username}`, timezone, tags: ["vip"] });
    await sandbox.post("/v1/contacts", { username: "in_germany", language: "de", tags: ["vip"] });
    await sandbox.post("/v1/contacts", { username: "in_default", tags: ["vip"] });
    const day = new Date(clock.now() + 3 * DAY_MS).toISOString().slice(0, 10);
    const made = await draft(sandbox, { schedule: { local: `${day}T09:00` }, timezone: "America/New_York" });
    expect((await act(sandbox, made, "send")).body.status).toBe("scheduled");
    await pass(app, 5 * DAY_MS);
    expect(await get(sandbox, made)).toMatchObject({ status: "completed", counts: { sent: 6 } });
    const local = (await sentMessages(sandbox)).map(({ to, sent_at }) => {
      const zone = { ...zones, germany: "Europe/Berlin", default: "America/New_York" }[to.slice(4)]!;
      return Temporal.Instant.from(sent_at!).toZonedDateTimeISO(zone).toPlainDateTime().toString().slice(0, 16);
    });
    expect(local).toEqual(Array.from({ length: 6 }, () => `${day}T09:00`));
  });

  test("heeds hours and holidays where the contact is", async () => {
    await using app = await setup({ engine });
    const { sandbox, clock } = app;
    await sandbox.post("/v1/contacts", { username: "in_berlin", timezone: "Europe/Berlin", tags: ["vip"] });
    const berlin = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO("Europe/Berlin");
    const days = [0, 1].map((ahead) =>
      berlin(clock.now() + ahead * DAY_MS)
        .toPlainDate()
        .toString(),
    );
    const made = await draft(sandbox, { window: { from: "09:00", to: "18:00" }, holidays: days });
    await act(sandbox, made, "send");
    await app.settled();
    const { items } = await recipientsOf(sandbox, made);
    const due = berlin(Date.parse(items[0]!.due_at!));
    expect([items[0]!.status, due.toPlainTime().toString(), due.toPlainDate().toString()]).toEqual([
      "waiting",
      "09:00:00",
      berlin(clock.now() + 2 * DAY_MS)
        .toPlainDate()
        .toString(),
    ]);
    await pass(app, 3 * DAY_MS);
    expect(Date.parse((await sentMessages(sandbox))[0]!.sent_at!)).toBe(due.epochMilliseconds);
  });

  test("recurs by a pattern, each run a broadcast of its own, and missed runs are one", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, some(2));
    const made = await draft(sandbox, { schedule: { cron: "0 9 * * *", timezone: "Europe/Berlin" } });
    expect(made.next_runs).toHaveLength(10);
    const { body } = await act(sandbox, made, "send");
    expect(body).toMatchObject({ status: "scheduled", starts_at: made.next_runs[0] });
    await pass(app, 2 * DAY_MS);
    const runs = async () => (await sandbox.get<Page<Broadcast>>(`/v1/broadcasts?parent_id=${made.id}`)).body.items;
    expect(await runs()).toMatchObject([
      { status: "completed", counts: { sent: 2 } },
      { status: "completed", counts: { sent: 2 } },
    ]);
    await app.leap(5 * DAY_MS);
    expect(await runs()).toHaveLength(3);
    await act(sandbox, made, "pause");
    await pass(app, 3 * DAY_MS);
    expect(await runs()).toHaveLength(3);
    await act(sandbox, made, "resume");
    await pass(app, DAY_MS);
    expect(await runs()).toHaveLength(4);
    expect((await act(sandbox, made, "cancel")).body.status).toBe("canceled");
  });

  test("waits for room under the cap of messages to one contact", async () => {
    await using app = await setup({ engine });
    const { sandbox, clock } = app;
    await makePeople(sandbox, some(1));
    const first = await draft(sandbox);
    await act(sandbox, first, "send");
    await app.settled();
    const begun = clock.now();
    await app.leap(HOUR_MS);
    const second = await draft(sandbox, { frequency_cap: { count: 1, per: "4h" } });
    await act(sandbox, second, "send");
    await app.settled();
    expect((await recipientsOf(sandbox, second)).items).toMatchObject([{ status: "waiting", reason: "frequency_cap" }]);
    await app.leap(3 * HOUR_MS);
    await app.leap(1);
    expect(await get(sandbox, second)).toMatchObject({ status: "completed", counts: { sent: 1 } });
    const [newest] = await sentMessages(sandbox);
    expect(Date.parse(newest!.sent_at!) - begun).toBe(4 * HOUR_MS + 1);
  });
});
