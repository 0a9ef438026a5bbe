import { describe, expect, test } from "bun:test";
import { createLog } from "#src/core/log.ts";
import { createEventFeed, type EventFeed } from "#src/modules/events/feed.ts";
import type { Place } from "#src/modules/events/model.ts";
import { createEventStore, type EventStore } from "#src/modules/events/store.ts";
import { appEngines, setup as setupApp, type TestApp } from "#test/support/app.ts";
import type { TestEngine } from "#test/support/databases.ts";
import { appendEvents } from "#test/support/events.ts";
import { turn } from "#test/support/sending.ts";

const BEGINNING: Place = { tx_id: -1, seq: -1 };

/** A feed over the log of an app, and how many pages it has read. */
async function setup(engine: TestEngine) {
  const app = await setupApp({ engine });
  const read = { pages: 0, failing: false };
  const store = createEventStore(app.db);
  const counting: EventStore = {
    ...store,
    page(...args) {
      read.pages++;
      return read.failing ? Promise.reject(new Error("the disk is gone")) : store.page(...args);
    },
  };
  const lines: string[] = [];
  const log = createLog({ level: "debug", format: "json", now: app.clock.now, write: (line) => lines.push(line) });
  const told = { rings: 0, copies: 0 };
  const feed = createEventFeed({ store: counting, clock: app.clock, log, ring: () => told.rings++, tellCopies: () => told.copies++ });
  await feed.start();
  const { env_id } = app.sandbox;
  /** Writes as this process does. */
  const append = async (...subjects: string[]) => {
    await appendEvents(app, app.sandbox, "contact.updated", subjects);
    await app.db.write((tx) => feed.appended(tx, env_id));
    await turn();
  };
  return { app, feed, read, told, lines, env_id, append, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() };
}

const subjects = ({ events }: Awaited<ReturnType<EventFeed["after"]>>) => events.map(({ subject }) => subject);

describe.each(appEngines)("the feed of events on %s", (engine) => {
  test("reads a place once for all who come to it, until there is news", async () => {
    await using at = await setup(engine);
    const news: string[] = [];
    const ends = [at.feed.follow(at.env_id, () => news.push("one")), at.feed.follow(at.env_id, () => news.push("two"))];
    await at.append("ct_1", "ct_2");
    expect(news).toEqual(["one", "two"]);
    const [page, same] = await Promise.all([at.feed.after(at.env_id, BEGINNING), at.feed.after(at.env_id, BEGINNING)]);
    expect([subjects(page), page.isEnd, at.read.pages]).toEqual([["ct_1", "ct_2"], true, 1]);
    expect(same).toBe(page);
    expect(await at.feed.after(at.env_id, page.last)).toMatchObject({ events: [], last: page.last, isEnd: true });
    await at.append("ct_3");
    expect(subjects(await at.feed.after(at.env_id, page.last))).toEqual(["ct_3"]);
    expect(at.read.pages).toBe(3);
    for (const end of ends) end();
  });

  test("does not show an old page to who follows again after a while", async () => {
    await using at = await setup(engine);
    at.feed.follow(at.env_id, () => {})();
    const end = at.feed.follow(at.env_id, () => {});
    expect(subjects(await at.feed.after(at.env_id, BEGINNING))).toEqual([]);
    end();
    await at.append("ct_1");
    const endAgain = at.feed.follow(at.env_id, () => {});
    expect(subjects(await at.feed.after(at.env_id, BEGINNING))).toEqual(["ct_1"]);
    endAgain();
  });

  test("reads anew where it is asked to, since others write unheard", async () => {
    await using at = await setup(engine);
    const end = at.feed.follow(at.env_id, () => {});
    await at.feed.after(at.env_id, BEGINNING);
    await appendEvents(at.app, at.app.sandbox, "contact.updated", ["ct_1"]);
    expect(subjects(await at.feed.fresh(at.env_id, BEGINNING))).toEqual(["ct_1"]);
    expect(subjects(await at.feed.after(at.env_id, BEGINNING))).toEqual(["ct_1"]);
    end();
  });

  test("tells an environment's followers alone, and all of them when others may have written", async () => {
    await using at = await setup(engine);
    const news: string[] = [];
    const ends = [at.feed.follow(at.env_id, () => news.push("sandbox")), at.feed.follow(at.app.live.env_id, () => news.push("live"))];
    await at.append("ct_1");
    expect([news, at.told]).toEqual([["sandbox"], { rings: 0, copies: 1 }]);
    at.feed.rescan();
    await turn();
    expect(news).toEqual(["sandbox", "sandbox", "live"]);
    for (const end of ends) end();
    await at.append("ct_2");
    expect(news).toHaveLength(3);
  });

  test("rings for whoever serves, where it does not serve itself", async () => {
    await using at = await setup(engine);
    await at.feed.stop();
    await at.append("ct_1");
    expect(at.told).toEqual({ rings: 1, copies: 0 });
  });

  test("says that the log could not be read, and calls again", async () => {
    await using at = await setup(engine);
    let news = 0;
    const end = at.feed.follow(at.env_id, () => news++);
    at.read.failing = true;
    const tries = [at.feed.after(at.env_id, BEGINNING), at.feed.after(at.env_id, BEGINNING)];
    expect((await Promise.allSettled(tries)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(at.lines).toHaveLength(1);
    at.read.failing = false;
    at.app.clock.advance(1_000);
    await turn();
    expect([news, subjects(await at.feed.after(at.env_id, BEGINNING))]).toEqual([1, []]);
    end();
  });

  test("begins behind everything that is there, also from within a transaction", async () => {
    await using at = await setup(engine);
    await at.append("ct_1");
    const committed = await at.feed.head(null, at.env_id);
    await at.append("ct_2");
    const inside = await at.app.db.write((tx) => at.feed.head(tx, at.env_id));
    await at.append("ct_3");
    expect(subjects(await at.feed.after(at.env_id, inside))).toEqual(["ct_3"]);
    expect(subjects(await at.feed.after(at.env_id, committed))).toEqual(["ct_2", "ct_3"]);
    expect(subjects(await at.feed.after(at.app.live.env_id, BEGINNING))).toEqual([]);
  });
});

/** A transaction that is written in, and stands open until it is let go. */
async function hold({ db, services, sandbox }: TestApp, subject: string) {
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = db.write(async (tx) => {
    services.events.append(tx, sandbox.env_id, { type: "contact.updated", subject, actor: "job", data: {} });
    await db.in(tx).selectFrom("counters").selectAll().execute();
    begun.resolve();
    await gate.promise;
  });
  await begun.promise;
  return () => {
    gate.resolve();
    return done;
  };
}

describe.each(appEngines.filter((engine) => engine === "postgres"))("on %s", () => {
  test("looks again for what a running transaction hides, ever less often", async () => {
    await using at = await setup("postgres");
    let news = 0;
    const end = at.feed.follow(at.env_id, () => news++);
    const letGo = await hold(at.app, "ct_1");
    await at.append("ct_2");
    expect(news).toBe(1);
    for (const [looks, ms] of [10, 20, 40].entries()) {
      expect(subjects(await at.feed.after(at.env_id, BEGINNING))).toEqual([]);
      at.app.clock.advance(ms - 1);
      await turn();
      expect(news).toBe(1 + looks);
      at.app.clock.advance(1);
      await turn();
      expect(news).toBe(2 + looks);
    }
    expect(subjects(await at.feed.after(at.env_id, BEGINNING))).toEqual([]);
    await letGo();
    at.app.clock.advance(80);
    await turn();
    expect(subjects(await at.feed.after(at.env_id, BEGINNING))).toEqual(["ct_1", "ct_2"]);
    end();
  });
});
