import { beforeAll, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { manyAccounts } from "./many-accounts.ts";

beforeAll(() => executable(), 60_000);

test("a bot and a user account that Telegram tells to wait hold up no other", async () => {
  const { arrived } = await manyAccounts({ bots: 4, users: 3 }, 0);
  // Two rounds of the others before, one while the first is held: its own message waits.
  expect(arrived).toBe(6);
}, 120_000);
