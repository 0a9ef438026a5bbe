import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import { newId } from "#src/core/ids.ts";
import type { Page } from "#src/core/page.ts";
import type { Message } from "#src/modules/messages/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { cancel, queue } from "#test/support/sending.ts";

async function list({ sandbox }: TestApp, query = ""): Promise<Page<Message>> {
  return (await sandbox.get<Page<Message>>(`/v1/messages${query}`)).body;
}

const idsOf = ({ items }: Page<Message>) => items.map(({ id }) => id);

async function queueMany(app: TestApp, count: number): Promise<string[]> {
  const messages = Array.from({ length: count }, (_, at) => ({ account_id: 7421, to: `@someone_${at}`, text: `number ${at}` }));
  const { body } = await app.sandbox.post<{ results: { id: string }[] }>("/v1/messages/batch", { messages });
  return body.results.map(({ id }) => id);
}

describe.each(appEngines)("the list of messages on %s", (engine) => {
  test("is newest first, in pages by cursor or by offset", async () => {
    await using app = await setup({ engine });
    const ids = (await queueMany(app, 5)).toReversed();
    const whole = await list(app);
    expect(whole).toMatchObject({ total: 5, limit: 50, offset: 0, has_more: false, next_cursor: null });
    expect(idsOf(whole)).toEqual(ids);
    const first = await list(app, "?limit=2");
    expect(first).toMatchObject({ total: 5, limit: 2, has_more: true });
    const second = await list(app, `?limit=2&cursor=${first.next_cursor}`);
    const third = await list(app, `?limit=2&cursor=${second.next_cursor}`);
    expect([first, second, third].flatMap(idsOf)).toEqual(ids);
    expect(third).toMatchObject({ has_more: false, next_cursor: null });
    expect(idsOf(await list(app, "?limit=2&offset=3"))).toEqual(ids.slice(3));
    expect(await list(app, "?offset=99")).toMatchObject({ items: [], total: 5, has_more: false, next_cursor: null });
  });

  test("does not slip when messages are added between two pages", async () => {
    await using app = await setup({ engine });
    const ids = (await queueMany(app, 4)).toReversed();
    const first = await list(app, "?limit=2");
    await queueMany(app, 3);
    expect(idsOf(await list(app, `?limit=2&cursor=${first.next_cursor}`))).toEqual(ids.slice(2));
  });

  test("is narrowed by status, account, recipient and time, alone and together", async () => {
    await using app = await setup({ engine });
    const [sent] = [await queue(app.sandbox)];
    await app.settled();
    app.clock.advance(60_000);
    const from = toTime(app.clock.now());
    const failed = await queue(app.sandbox, { to: "@sandbox_blocked" });
    const later = await queue(app.sandbox, { schedule_at: toTime(app.clock.now() + 3_600_000) });
    const canceled = await queue(app.sandbox, { schedule_at: toTime(app.clock.now() + 3_600_000), to: 123456 });
    await cancel(app.sandbox, canceled);
    await app.settled();
    const asks: [string, string[]][] = [
      ["status=sent", [sent]],
      ["status=failed", [failed]],
      ["status=queued", [later]],
      ["status=canceled", [canceled]],
      ["status=read", []],
      ["account_id=7421", [canceled, later, failed, sent]],
      ["account_id=10000", []],
      ["to=@sarah_miller", [later, sent]],
      ["to=Sarah_Miller", [later, sent]],
      ["to=123456", [canceled]],
      [`created_after=${from}`, [canceled, later, failed]],
      [`created_before=${from}`, [sent]],
      [`created_after=${from}&created_before=${from}`, []],
      ["status=queued&to=@sarah_miller&account_id=7421", [later]],
      ["status=sent&to=@nobody", []],
    ];
    for (const [query, ids] of asks) {
      const page = await list(app, `?${query}`);
      expect([query, ...idsOf(page), page.total]).toEqual([query, ...ids, ids.length]);
    }
  });

  test("pages through what a filter leaves", async () => {
    await using app = await setup({ engine });
    await queueMany(app, 3);
    const mine = [await queue(app.sandbox), await queue(app.sandbox), await queue(app.sandbox)].toReversed();
    const first = await list(app, "?to=@sarah_miller&limit=2");
    expect(first).toMatchObject({ total: 3, has_more: true });
    const second = await list(app, `?to=@sarah_miller&limit=2&cursor=${first.next_cursor}`);
    expect([...idsOf(first), ...idsOf(second)]).toEqual(mine);
  });

  test("counts up to 10,000 under a filter, and exactly without one", async () => {
    await using app = await setup({ engine });
    const id = await queue(app.sandbox);
    await app.settled();
    const [row] = await app.db.read.selectFrom("messages").selectAll().where("id", "=", id).execute();
    const rows = Array.from({ length: 10_000 }, () => ({ ...row!, id: newId("msg", app.clock.now()) }));
    await app.db.write(async (tx) => {
      for (let at = 0; at < rows.length; at += 1_000)
        await app.db
          .in(tx)
          .insertInto("messages")
          .values(rows.slice(at, at + 1_000))
          .execute();
    });
    const [whole, filtered, narrow] = await Promise.all(
      ["?limit=1", "?limit=1&status=sent", "?limit=1&status=failed"].map((query) => list(app, query)),
    );
    expect(whole).toMatchObject({ total: 10_001 });
    expect(whole).not.toHaveProperty("total_capped");
    expect(filtered).toMatchObject({ total: 10_000, total_capped: true, has_more: true });
    expect(narrow).toMatchObject({ total: 0 });
  });

  test("refuses parameters that are none", async () => {
    await using app = await setup({ engine });
    await queueMany(app, 2);
    const cursor = (await list(app, "?limit=1")).next_cursor!;
    const events = (await app.sandbox.get<{ next_cursor: string }>("/v1/events?limit=1")).body.next_cursor;
    const keys = (await app.makeKey(app.sandbox), (await app.sandbox.get<{ next_cursor: string }>("/v1/keys?limit=1")).body.next_cursor);
    const bad = [
      ["limit", "0"],
      ["limit", "201"],
      ["limit", "1.5"],
      ["limit", "many"],
      ["limit", ""],
      ["offset", "-1"],
      ["offset", "1000000001"],
      ["status", "lost"],
      ["account_id", "abc"],
      ["created_after", "yesterday"],
      ["created_before", "2031-02-30T25:00:00Z"],
      ["cursor", "x"],
      ["cursor", `${cursor}=`],
      ["cursor", cursor.slice(0, -2)],
      ["cursor", events],
      ["cursor", keys],
      ["colour", "red"],
    ];
    for (const [name, value] of bad) {
      const { status, body } = await app.sandbox.get<{ details: { field: string }[] }>(`/v1/messages?${name}=${value}`);
      expect([name, value, status, body.details?.[0]?.field]).toEqual([name, value, 422, name]);
    }
  });
});
