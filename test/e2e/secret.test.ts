import { beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { executable } from "#test/support/executable.ts";
import { outcomeOf, send } from "./api.ts";
import { startLive } from "./live.ts";
import { dataOf, runPosthouse } from "./posthouse.ts";

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

test("a secret that is too short is refused without showing it", async () => {
  await using live = await startLive();
  const { err } = await runPosthouse(live.folder, ["serve"], { POSTHOUSE_SECRET: "too short" });
  expect(err).toBe("POSTHOUSE_SECRET has 9 characters; accepted: 16 characters or more\n");
});

test("wrong secret", async () => {
  await using live = await startLive({ env: { POSTHOUSE_SECRET: secret } });
  const chat = live.telegram.addPrivateChat(live.bot);
  await live.posthouse.stop();
  const { caller, posthouse } = await live.restart({ env: { ...live.env, POSTHOUSE_SECRET: "another secret that is long enough" } });
  const id = await send(caller, live.account, chat.id, "Hello");
  await Bun.sleep(2500);
  console.log(await caller.get("/v1/messages/" + id).then((a) => a.body), await caller.get("/v1/accounts").then((a) => a.text));
  console.log(posthouse.log().join("\n"));
});
