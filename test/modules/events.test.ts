import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import type { Event } from "#src/modules/events/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { cancel, queue, read } from "#test/support/sending.ts";

type Page = { items: Event[]; limit: number; has_more: boolean; next_cursor: string | null };

async function list(caller: Caller, query = ""): Promise<Page> {
  return (await caller.get<Page>(`/v1/events${query}`)).body;
}

/** Follows `after` to the end, as a receiver does. */
async function follow(caller: Caller, after: string | null, limit: number): Promise<Event[]> {
  const seen: Event[] = [];
  for (;;) {
    const page = await list(caller, `?limit=${limit}${after === null ? "" : `&after=${after}`}`);
    seen.push(...page.items);
    if (!page.has_more) return seen;
    after = page.next_cursor;
  }
}

describe.each(appEngines)("the event log on %s", (engine) => {
  test("tells what changed, who changed it, and how it was afterwards", async () => {
    await using app = await setup({ engine });
    const id = await queue(app.sandbox, { text: "Hey {first_name}" });
    await app.settled();
    const { key_id } = (await app.sandbox.get<{ key_id: string }>("/v1/me")).body;
    const { items, next_cursor, has_more } = await list(app.sandbox);
    const [queued, sent] = items;
    const now = toTime(app.clock.now());
    expect(queued).toMatchObject({
      event: "message.queued",
      created_at: now,
      subject: id,
      actor: key_id,
      account_id: 7421,
      contact: "@sarah_miller",
      text: "Hey {first_name}",
      thread_id: null,
    });
    expect(sent).toMatchObject({ event: "message.sent", subject: id, actor: "job", text: "Hey Sarah" });
    const message = await read(app.sandbox, id);
    expect(sent!.data).toEqual({ ...message, thread: { id: message.thread_id, topic_id: null, title: null } });
    expect([items.length, next_cursor, has_more]).toEqual([2, sent!.id, false]);
  });

  test("is empty at first, and gives nothing after its end", async () => {
    await using app = await setup({ engine });
    expect(await list(app.sandbox)).toEqual({ items: [], limit: 50, has_more: false, next_cursor: null });
    await queue(app.sandbox);
    await app.settled();
    const { next_cursor } = await list(app.sandbox);
    expect(await list(app.sandbox, `?after=${next_cursor}`)).toEqual({ items: [], limit: 50, has_more: false, next_cursor });
  });

  test("gives who follows it every event once and in order, also what is written meanwhile", async () => {
    await using app = await setup({ engine });
    const ids: string[] = [];
    let after: string | null = null;
    const seen: Event[] = [];
    for (let round = 0; round < 5; round++) {
      const writing = Promise.all(Array.from({ length: 10 }, () => queue(app.sandbox)));
      seen.push(...(await follow(app.sandbox, after, 3)));
      ids.push(...(await writing));
      after = seen.at(-1)?.id ?? null;
    }
    await app.settled();
    seen.push(...(await follow(app.sandbox, after, 3)));
    const all = await list(app.sandbox, "?limit=200");
    expect(seen.map(({ id }) => id)).toEqual(all.items.map(({ id }) => id));
    const byMessage = Map.groupBy(seen, ({ subject }) => subject);
    expect([...byMessage.keys()].toSorted()).toEqual(ids.toSorted());
    expect([...byMessage.values()].map((events) => events.map(({ event }) => event).join())).toEqual(
      ids.map(() => "message.queued,message.sent"),
    );
  });

  test("shows a key what its scopes let it read", async () => {
    await using app = await setup({ engine });
    await queue(app.sandbox);
    await app.settled();
    await app.sandbox.patch("/v1/workspace", { plan: "starter" });
    const seenBy = async (scope: "read:messages" | "write:messages" | "manage:accounts" | "manage:keys") =>
      (await list(await app.makeKey(app.sandbox, { scopes: [scope] }))).items.map(({ event }) => event);
    expect(await seenBy("read:messages")).toEqual(["message.queued", "message.sent"]);
    expect(await seenBy("write:messages")).toEqual([]);
    expect(await seenBy("manage:accounts")).toEqual([]);
    expect(await seenBy("manage:keys")).toEqual(["subscription.upgraded"]);
  });

  test("goes on after an event that the key may not read itself", async () => {
    await using app = await setup({ engine });
    await queue(app.sandbox);
    await app.sandbox.patch("/v1/workspace", { plan: "starter" });
    await app.settled();
    const upgraded = (await list(app.sandbox)).items.find(({ event }) => event === "subscription.upgraded")!;
    const reader = await app.makeKey(app.sandbox, { scopes: ["read:messages"] });
    expect((await list(reader, `?after=${upgraded.id}`)).items.map(({ event }) => event)).toEqual(["message.sent"]);
  });

  test("has every change of a message's state", async () => {
    await using app = await setup({ engine });
    const later = await queue(app.sandbox, { schedule_at: toTime(app.clock.now() + 60_000) });
    await cancel(app.sandbox, later);
    await queue(app.sandbox, { to: "@sandbox_blocked" });
    await app.settled();
    expect((await list(app.sandbox)).items.map(({ event }) => event)).toEqual([
      "message.queued",
      "message.canceled",
      "message.queued",
      "message.failed",
    ]);
  });

  test("refuses an after that is no event here", async () => {
    await using app = await setup({ engine });
    const other = await app.makeWorkspace("Second");
    await queue(other.sandbox);
    const foreign = (await list(other.sandbox)).next_cursor!;
    for (const after of [foreign, "evt_00000000000000000000000000", "x", "", "%00", "x".repeat(41)]) {
      const { status, body } = await app.sandbox.get<{ details: { field: string }[] }>(`/v1/events?after=${after}`);
      expect([after, status, body.details[0]!.field]).toEqual([after, 422, "after"]);
    }
  });

  test("has nothing of a request that was refused", async () => {
    await using app = await setup({ engine });
    const one = { account_id: 7421, to: "@sarah_miller", text: "one of many" };
    await app.sandbox.post("/v1/messages/batch", {
      messages: [
        { ...one, to: "?" },
        { ...one, to: "@sandbox_daily_limit" },
      ],
    });
    await app.sandbox.post("/v1/messages/send", { ...one, account_id: 5 });
    expect((await list(app.sandbox)).items).toEqual([]);
  });
});
