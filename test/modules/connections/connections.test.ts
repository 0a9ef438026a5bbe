import { describe, expect, test } from "bun:test";
import type { ConnectedAccount, Connector, Inbound, Link } from "#src/modules/connections/model.ts";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Message } from "#src/modules/messages/model.ts";
import type { Page } from "#src/core/page.ts";
import { toTime } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { startBotApi } from "#test/support/bot-api/start.ts";
import { rejectionOf } from "#test/support/rejection.ts";

interface Heard {
  account: ConnectedAccount;
  link: Link;
  closed: boolean;
}

/** A connector that hears what a test says. */
function playConnector(kind: string): { connector: Connector; heard: Heard[] } {
  const heard: Heard[] = [];
  const connector: Connector = {
    kind,
    connect(account, link) {
      const own: Heard = { account, link, closed: false };
      heard.push(own);
      return { close: async () => void (own.closed = true) };
    },
  };
  return { connector, heard };
}

const person = { telegram_id: 700, username: "sarah", first_name: "Sarah", last_name: null };

function written(text: string, remote_id: string, at: number, update_id: number | null = null): Inbound {
  const chat = { id: "700", type: "private" as const, title: null, username: "sarah", first_name: "Sarah", last_name: null };
  const nothing = { topic: null, files: [], location: null, contact_card: null, album_id: null, reply_to: null, start_payload: null };
  return { kind: "received", ...nothing, chat, sender: person, remote_id, text, at, update_id };
}

async function town(engine: TestApp["db"]["engine"], wrapDatabase?: Parameters<typeof setup>[0]) {
  const telegram = await startBotApi();
  const { connector, heard } = playConnector("telegram_bot");
  const app = await setup({ engine, apiRoot: telegram.url, connectors: [connector], ...wrapDatabase });
  const bot = telegram.addBot();
  const { body } = await app.live.post<Account>("/v1/accounts", { kind: "telegram_bot", token: bot.token });
  await app.settled();
  await app.services.connections.settled();
  const texts = async () =>
    (await app.live.get<Page<Message>>("/v1/messages?direction=in")).body.items.map(({ text }) => text).toReversed();
  const read = async () => (await app.live.get<Account>(`/v1/accounts/${body.id}`)).body;
  const looked = async () => {
    await app.settled();
    await app.services.connections.settled();
  };
  return {
    ...{ app, heard, id: body.id, telegram, bot, texts, read, looked },
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await telegram.stop();
    },
  };
}

/** The writer's next group. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets seconds pass until it is done. */
async function passing(app: TestApp, work: Promise<unknown>): Promise<void> {
  const progress = { isDone: false };
  const done = work.finally(() => (progress.isDone = true));
  for (let seconds = 0; !progress.isDone && seconds < 1_000; seconds++) {
    await turn();
    await app.advance(1_000);
  }
  await done;
}

/** What is proved is written a moment later. */
async function becomes(here: { app: TestApp; read(): Promise<Account> }, satisfies: (account: Account) => boolean): Promise<void> {
  for (let looks = 0; looks < 1_000 && !satisfies(await here.read()); looks++) {
    await turn();
    await here.app.advance(1);
  }
}

describe.each(appEngines)("an account that is kept connected, on %s,", (engine) => {
  test("is connected once, with its token, and goes on from its place after a change", async () => {
    await using here = await town(engine);
    const { app, heard, bot } = here;
    expect(heard.map(({ account }) => [account.id, account.token, account.place])).toEqual([[here.id, bot.token, null]]);
    await heard[0]!.link.take([written("one", "1", app.clock.now()), written("two", "2", app.clock.now())], "3");
    await heard[0]!.link.take([written("two", "2", app.clock.now())], "3");
    expect(await here.texts()).toEqual(["one", "two"]);
    const renewed = here.telegram.addBot({ token: `${bot.id}:${"N".repeat(35)}`, username: bot.username });
    await app.live.patch(`/v1/accounts/${here.id}`, { token: renewed.token });
    await here.looked();
    expect(heard.map(({ account, closed }) => [account.token, account.place, closed])).toEqual([
      [bot.token, null, true],
      [renewed.token, "3", false],
    ]);
  });

  test("hears while it is paused, and no longer once it is refused or removed", async () => {
    await using here = await town(engine);
    const { app, heard } = here;
    await app.live.patch(`/v1/accounts/${here.id}`, { paused: true });
    await here.looked();
    expect(heard.map(({ closed }) => closed)).toEqual([false]);
    await heard[0]!.link.refused("Unauthorized", false);
    await here.looked();
    expect(heard.map(({ closed }) => closed)).toEqual([true]);
    expect(await here.read()).toMatchObject({ status: "disconnected", status_reason: "Unauthorized" });
    expect(await rejectionOf(heard[0]!.link.take([written("late", "9", app.clock.now())], "10"))).toBeInstanceOf(Error);
    expect(await here.texts()).toEqual([]);
  });

  test("is called connected for five minutes after a round trip, and says why it is not", async () => {
    await using here = await town(engine);
    const { app, heard } = here;
    expect(await here.read()).toMatchObject({ status: "connected", last_error: null });
    await app.advance(301_000);
    expect(await here.read()).toMatchObject({ status: "connecting" });
    heard[0]!.link.failed("There is no connection to Telegram.");
    await becomes(here, ({ last_error }) => last_error !== null);
    expect(await here.read()).toMatchObject({
      status: "connecting",
      status_reason: "There is no connection to Telegram.",
      last_error: { message: "There is no connection to Telegram." },
    });
    heard[0]!.link.proved();
    await becomes(here, ({ last_error }) => last_error === null);
    expect(await here.read()).toMatchObject({ status: "connected", status_reason: null, last_error: null });
  });

  test("is known to have been there until its connection is lost", async () => {
    await using here = await town(engine);
    const { app, heard } = here;
    heard[0]!.link.proved();
    await becomes(here, ({ last_proof_at }) => last_proof_at === toTime(app.clock.now()));
    await app.advance(30_000);
    const proved_at = toTime(app.clock.now());
    heard[0]!.link.proved();
    await app.advance(5_000);
    heard[0]!.link.failed("There is no connection to Telegram.");
    await becomes(here, ({ last_error }) => last_error !== null);
    expect(await here.read()).toMatchObject({ status: "connected", last_proof_at: proved_at });
  });

  test("waits with what it hears while the database refuses writes, and loses none of it", async () => {
    let refuses = false;
    await using here = await town(engine, {
      wrapDatabase: (db) => ({
        ...db,
        write: (work) => (refuses ? Promise.reject(new AppError("unavailable", "the disk is full")) : db.write(work)),
      }),
    });
    const { app, heard } = here;
    refuses = true;
    const taken = heard[0]!.link.take([written("patience", "1", app.clock.now())], "2");
    await app.advance(3_000);
    refuses = false;
    await passing(app, taken);
    expect(await here.texts()).toEqual(["patience"]);
  });

  test("is disconnected as soon as the database takes that, when it is refused meanwhile", async () => {
    let refuses = false;
    await using here = await town(engine, {
      wrapDatabase: (db) => ({
        ...db,
        write: (work) => (refuses ? Promise.reject(new AppError("unavailable", "the disk is full")) : db.write(work)),
      }),
    });
    const { app, heard } = here;
    refuses = true;
    const refused = heard[0]!.link.refused("AUTH_KEY_UNREGISTERED", false);
    await app.advance(3_000);
    expect(await here.read()).toMatchObject({ status: "connected" });
    refuses = false;
    await passing(app, refused);
    await here.looked();
    expect(await here.read()).toMatchObject({ status: "disconnected", status_reason: "AUTH_KEY_UNREGISTERED" });
    expect(heard.map(({ closed }) => closed)).toEqual([true]);
  });

  test.if(engine === "postgres")("is left alone once another process has its lane, until it is this one's again", async () => {
    await using here = await town(engine);
    const { app, heard } = here;
    const give = (owner: string, lease_until: number) =>
      app.db.write((tx) =>
        app.db.in(tx).updateTable("lanes").set({ owner, lease_until }).where("lane", "=", `account:${here.id}`).execute(),
      );
    await give("another", app.clock.now() + 60_000);
    expect(await rejectionOf(heard[0]!.link.take([written("one", "1", app.clock.now())], "2"))).toBeInstanceOf(Error);
    await app.services.connections.settled();
    expect(heard.map(({ closed }) => closed)).toEqual([true]);
    await give("another", app.clock.now() - 1);
    app.services.loop.refreshLanes();
    await here.looked();
    expect(heard.map(({ closed }) => closed)).toEqual([true, false]);
    await heard[1]!.link.take([written("one", "1", app.clock.now())], "2");
    expect(await here.texts()).toEqual(["one"]);
  });

  test("passes over what can't be kept for a fault of ours, and keeps what comes with it", async () => {
    await using here = await town(engine);
    const { app, heard } = here;
    const broken = { ...written("broken", "2", app.clock.now()), at: "yesterday" as unknown as number };
    const taken = heard[0]!.link.take([written("before", "1", app.clock.now()), broken, written("after", "3", app.clock.now())], "4");
    await passing(app, taken);
    expect(await here.texts()).toEqual(["before", "after"]);
    const place = await app.db.read.selectFrom("connections").select("place").where("account_id", "=", here.id).executeTakeFirst();
    expect(place).toEqual({ place: "4" });
    expect(app.log.join()).not.toContain("broken");
  });
});
