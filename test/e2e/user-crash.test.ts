import { beforeAll, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { userCrash } from "./user-crash.ts";

beforeAll(() => executable(), 60_000);

const ROUNDS = 6;

test("kill -9 while a user account sends: each message is in the history of whom it was for, exactly once", async () => {
  const { acknowledged, lost, doubled, states } = await userCrash(ROUNDS);
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
  expect(states).toEqual({ sent: acknowledged, failed: 0, queued: 0, sending: 0 });
}, 120_000);
