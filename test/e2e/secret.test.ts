import { Database } from "bun:sqlite";
import { beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { executable } from "#test/support/executable.ts";
import { connectBot, outcomeOf, send } from "./api.ts";
import { startLive } from "./live.ts";
import { databaseOf, dataOf, runPosthouse } from "./posthouse.ts";

beforeAll(() => executable(), 60_000);

const secret = "a secret that somebody keeps elsewhere";

test("with POSTHOUSE_SECRET no file holds the secret, and the next start opens what it sealed", async () => {
  await using live = await startLive({ env: { POSTHOUSE_SECRET: secret } });
  const chat = live.telegram.addPrivateChat(live.bot);
  await live.posthouse.stop();
  expect(existsSync(join(dataOf(live.folder), "secret.key"))).toBe(false);
  const { caller } = await live.restart();
  expect(await outcomeOf(caller, await send(caller, live.account, chat.id, "Hello"))).toMatchObject({ status: "sent" });
});

test("a start with another secret than the one that sealed the tokens is refused in one line", async () => {
  await using live = await startLive({ env: { POSTHOUSE_SECRET: secret } });
  await live.posthouse.stop();
  const refused = await runPosthouse(live.folder, ["serve"], { POSTHOUSE_SECRET: "a secret that is another one" });
  expect(refused).toEqual({ code: 1, out: "", err: expect.stringMatching(/^the accounts' tokens .* set POSTHOUSE_SECRET, [^\n]+\n$/) });
});

test("a secret that is too short is refused without showing it", async () => {
  await using live = await startLive();
  const { err } = await runPosthouse(live.folder, ["serve"], { POSTHOUSE_SECRET: "too short" });
  expect(err).toBe("POSTHOUSE_SECRET has 9 characters; accepted: 16 characters or more\n");
});

test("one account whose token can't be opened holds up no other", async () => {
  await using live = await startLive();
  const { telegram, bot } = live;
  const otherBot = telegram.addBot();
  const otherAccount = await connectBot(live.caller, otherBot);
  await live.posthouse.stop();
  using file = new Database(databaseOf(live.folder));
  file.run("UPDATE accounts SET token = (SELECT token FROM accounts WHERE id = ?) WHERE id = ?", [otherAccount, live.account]);
  file.close();

  const { caller } = await live.restart();
  const stuck = await send(caller, live.account, telegram.addPrivateChat(bot).id, "stuck");
  for (const chat of telegram.addPrivateChats(otherBot, 3)) {
    const id = await send(caller, otherAccount, chat.id, "passing");
    expect(await outcomeOf(caller, id)).toMatchObject({ status: "sent" });
  }
  expect((await caller.get(`/v1/messages/${stuck}`)).body).toMatchObject({ status: "queued" });
});
