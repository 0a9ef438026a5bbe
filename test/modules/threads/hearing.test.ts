import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Inbound } from "#src/modules/connections/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { arriving } from "#test/support/receiving.ts";
import { eventsOf } from "#test/support/scoring.ts";
import { queue, read } from "#test/support/sending.ts";

const at = 1_700_000_000_000;
const person = (telegram_id: number) => ({ telegram_id, username: null, first_name: `P${telegram_id}`, last_name: null });
const group = { id: "-100", type: "supergroup", title: "Crew", username: null, first_name: null, last_name: null } as const;
const hearingOf = ({ sandbox }: TestApp) => ({ env_id: sandbox.env_id, id: 7421, kind: "sandbox", username: null });
const tell = (app: TestApp, ...items: Inbound[]) => app.db.write((tx) => app.services.happened(tx, hearingOf(app), items));
const threadsOf = ({ db }: TestApp) => db.read.selectFrom("threads").selectAll().orderBy("chat_id").orderBy("topic_id").execute();
const messagesOf = ({ db }: TestApp) => db.read.selectFrom("messages").selectAll().orderBy("id").execute();
const typesOf = async (app: TestApp) => (await eventsOf(app.sandbox)).map(({ event }) => event);

describe.each(appEngines)("what a channel tells on %s", (engine) => {
  test("gives each message once and the right number of unread ones, in whatever order and however often", async () => {
    const place = fc.record({
      who: fc.integer({ min: 1, max: 3 }),
      number: fc.integer({ min: 1, max: 4 }),
      topic: fc.constantFrom(null, "7"),
    });
    const item = fc.record({
      ...{ place, inGroup: fc.boolean() },
      kind: fc.constantFrom("received", "received", "edited"),
      late: fc.nat(3),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(item, { maxLength: 12 }), { minLength: 1, maxLength: 5 }), async (batches) => {
        await using app = await setup({ engine });
        const expected = new Map<string, Set<string>>();
        for (const batch of batches) {
          const items = batch.map(({ place: { who, number, topic }, inGroup, kind, late }) => {
            const own = { remote_id: `${who}${number}`, sender: person(who), at: at + late, text: `${kind} ${late}` };
            const chat = inGroup ? group : undefined;
            const told = arriving({ ...own, ...(chat === undefined ? {} : { chat }) });
            return { ...told, topic: inGroup && topic !== null && number > 2 ? { id: topic, title: null } : null, kind };
          });
          for (const { chat, topic, remote_id } of items as ReturnType<typeof arriving>[]) {
            const key = `${chat.id} ${topic?.id ?? ""}`;
            // The same message is in one topic.
            const known = [...expected.values()].some((ids) => ids.has(`${chat.id} ${remote_id}`));
            if (!known) expected.set(key, (expected.get(key) ?? new Set()).add(`${chat.id} ${remote_id}`));
          }
          await Promise.all([tell(app, ...items), tell(app, ...items)]);
        }
        const threads = await threadsOf(app);
        expect(Object.fromEntries(threads.map((one) => [`${one.chat_id} ${one.topic_id}`, one.unread]))).toEqual(
          Object.fromEntries([...expected].map(([key, ids]) => [key, ids.size])),
        );
        const rows = await messagesOf(app);
        const origins = rows.map((row) => `${row.chat_id} ${row.remote_id}`);
        expect(origins.toSorted()).toEqual([...expected.values()].flatMap((ids) => [...ids]).toSorted());
        for (const { id, contact_id, thread_id } of rows) expect([id, contact_id, thread_id]).not.toContain(null);
        expect((await typesOf(app)).filter((type) => type === "message.received")).toHaveLength(rows.length);
      }),
      { numRuns: engine === "sqlite" ? 25 : 5 },
    );
  });

  test("keeps a message's files, place and answers, and groups by topics", async () => {
    await using app = await setup({ engine });
    const file = { type: "photo", name: null, mime: "image/jpeg", size: 5, width: 1, height: 1, duration: null, remote: "r1" } as const;
    const told = arriving({
      remote_id: "9",
      chat: group,
      topic: { id: "3", title: "Ideas" },
      files: [{ ...file, unique: "u" }],
      album_id: "a",
    });
    const [first] = await tell(
      app,
      told,
      arriving({ remote_id: "10", chat: group, reply_to: "9", files: [{ ...file, remote: "r2", unique: "u" }] }),
    );
    const files = await app.db.read.selectFrom("files").select(["id", "remote", "account_id"]).execute();
    expect(files).toMatchObject([{ remote: "r2", account_id: 7421 }]);
    expect(first!.message).toMatchObject({ album_id: "a", attachments: [{ type: "photo", file_id: files[0]!.id, url: null, size: 5 }] });
    const [, answer] = await messagesOf(app);
    expect(answer!.reply_to).toBe(first!.message.id);
    expect(await threadsOf(app)).toMatchObject([
      { topic_id: "", title: "Crew", type: "supergroup", contact_id: null, unread: 1 },
      { topic_id: "3", title: "Ideas", unread: 1 },
    ]);
    const doing = { chat: group, topic: { id: "3", title: "Plans" }, sender: null, at, update_id: null };
    await tell(app, { ...doing, kind: "topic" }, { ...doing, kind: "topic", topic: { id: "4", title: "New" } });
    expect((await threadsOf(app)).map(({ title, unread }) => [title, unread])).toEqual([
      ["Crew", 1],
      ["Plans", 1],
      ["New", 0],
    ]);
    await tell(app, { ...doing, topic: null, kind: "moved", to: "-200" });
    expect((await threadsOf(app)).map(({ chat_id }) => chat_id)).toEqual(["-200", "-200", "-200"]);
    const chats = await app.db.read.selectFrom("chats").select(["chat_id", "title"]).execute();
    expect(chats).toEqual([{ chat_id: "-200", title: "Crew" }]);
  });

  test("changes a message that was edited, once, and tells of reactions and presses", async () => {
    await using app = await setup({ engine });
    const [received] = await tell(app, arriving({ remote_id: "1", at }));
    const { id } = received!.message;
    const edited = { ...arriving({ remote_id: "1", at: at + 5, text: "Other" }), kind: "edited" as const };
    await tell(app, edited, edited, { ...edited, at: at + 4, text: "Older" });
    const doing = { chat: edited.chat, topic: null, sender: edited.sender, at: at + 6, update_id: null };
    await tell(
      app,
      { ...doing, kind: "reacted", remote_id: "1", reactions: ["👍"] },
      { ...doing, kind: "reacted", remote_id: "77", reactions: [] },
    );
    await tell(app, { ...doing, kind: "pressed", remote_id: null, data: "x" });
    expect(await read(app.sandbox, id)).toMatchObject({ text: "Other", reactions: ["👍"], edited_at: "2023-11-14T22:13:20.005Z" });
    const told = ["contact.created", "message.received", "message.edited", "message.reacted", "message.button_pressed"];
    expect<string[]>(await typesOf(app)).toEqual(told);
    const events = await eventsOf(app.sandbox);
    expect(events[2]!.data).toMatchObject({ id, text: "Other", thread: { title: "Ann", topic_id: null } });
    expect(events[3]!.data).toMatchObject({ id, by: { telegram_id: 8 }, reactions: ["👍"] });
    expect(events[4]!.data).toMatchObject({ id: null, button: { data: "x" }, by: { telegram_id: 8 } });
  });

  test("loses nothing of a message that is changed, reacted to and read at once", async () => {
    await using app = await setup({ engine });
    await tell(app, arriving({ remote_id: "1", at }));
    const doing = { chat: arriving().chat, topic: null, sender: arriving().sender, at, update_id: null };
    for (let round = 1; round <= 15; round++) {
      const id = await queue(app.sandbox, { to: 8 });
      await app.settled();
      const up_to = (await messagesOf(app)).at(-1)!.remote_id!;
      const change = app.db.write(async (tx) => {
        await app.db.in(tx).updateTable("messages").set({ text: "Changed" }).where("id", "=", id).execute();
      });
      const edited = { ...arriving({ remote_id: "1", at: at + round, text: `Text ${round}` }), kind: "edited" as const };
      const reacted = { ...doing, kind: "reacted" as const, remote_id: "1", reactions: [`${round}`] };
      await Promise.all([change, tell(app, { ...doing, kind: "read", up_to }), tell(app, reacted), tell(app, edited)]);
      const [received] = await messagesOf(app);
      expect([received!.text, JSON.parse(received!.content!)]).toEqual([`Text ${round}`, { reactions: [`${round}`] }]);
      expect(await read(app.sandbox, id)).toMatchObject({ status: "read", text: "Changed" });
    }
  });

  test("says of a chat whether it can be written to, until a message comes", async () => {
    await using app = await setup({ engine });
    const blocked = async () => (await app.db.read.selectFrom("chats").select("blocked_at").execute()).map(({ blocked_at }) => blocked_at);
    const { chat, sender } = arriving();
    const reach = { kind: "reach", reachable: false, chat, sender, topic: null, at, update_id: null } as const;
    await tell(app, reach);
    expect([await blocked(), await threadsOf(app)]).toEqual([[at], []]);
    await tell(app, { ...reach, reachable: true });
    expect(await blocked()).toEqual([null]);
    await tell(app, reach, arriving());
    expect(await blocked()).toEqual([null]);
    expect(await queue(app.sandbox, { to: 8 })).toStartWith("msg_");
  });
});
