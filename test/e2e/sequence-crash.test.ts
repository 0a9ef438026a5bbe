import { beforeAll, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { sequenceCrash } from "./sequence-crash.ts";

beforeAll(() => executable(), 60_000);

const [ROUNDS, PEOPLE] = [3, 1_000];

test("kill -9 while people fall due in sequences: each has each message once, and all is counted once", async () => {
  const { caught, messages, faults, integrity } = await sequenceCrash(ROUNDS, PEOPLE);
  expect({ faults, integrity }).toEqual({ faults: [], integrity: "ok" });
  expect(messages).toBe(ROUNDS * PEOPLE * 2);
  // That there was something to lose.
  expect(caught).toBeGreaterThan(0);
}, 180_000);
