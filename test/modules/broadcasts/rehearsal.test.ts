import { describe, expect, test } from "bun:test";
import { appEngines, setup } from "#test/support/app.ts";
import { act, draft, getBroadcast, makePeople, sentMessages, some } from "#test/support/broadcasting.ts";
import { move } from "#test/support/rehearsing.ts";

describe.each(appEngines)("a broadcast on a moved clock on %s", (engine) => {
  test("goes out in each contact's own time, at its pace", async () => {
    await using app = await setup({ engine });
    const { sandbox, clock } = app;
    await makePeople(sandbox, some(3));
    const day = new Date(clock.now() + 3 * 86_400_000).toISOString().slice(0, 10);
    const made = await draft(sandbox, { schedule: { local: `${day}T09:00` }, throttle: { per_minute: 1 } });
    await act(sandbox, made, "send");
    await app.settled();
    expect(await move(app, sandbox, { advance: "5d" })).toMatchObject({ sent: 3 });
    expect(await getBroadcast(sandbox, made)).toMatchObject({ status: "completed", counts: { sent: 3 } });
    const sent = (await sentMessages(sandbox)).map(({ sent_at }) => sent_at!.slice(0, 16)).toReversed();
    expect(sent).toEqual([`${day}T09:00`, `${day}T09:01`, `${day}T09:02`]);
  });
});
