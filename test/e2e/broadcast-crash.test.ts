import { beforeAll, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { broadcastCrash, describeBroadcastCrash } from "./broadcast-crash.ts";

beforeAll(() => executable(), 60_000);

test("kill -9 at random moments while broadcasts run leaves nobody out and writes to nobody twice", async () => {
  const figures = await broadcastCrash(8, 2_000);
  process.stdout.write(describeBroadcastCrash(figures));
  const { faults, doubled, status } = figures;
  expect({ faults, doubled, status }).toEqual({ faults: [], doubled: 0, status: "completed" });
}, 180_000);
