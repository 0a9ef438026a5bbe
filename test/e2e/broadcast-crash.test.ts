import { beforeAll, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { broadcastCrash, describeBroadcastCrash } from "./broadcast-crash.ts";

beforeAll(() => executable(), 60_000);

test.each([
  ["bots", 8, 2_000],
  ["users", 6, 600],
] as const)(
  "kill -9 at random moments while broadcasts run through %s leaves nobody out and writes to nobody twice",
  async (...scale) => {
    const figures = await broadcastCrash(...scale);
    process.stdout.write(describeBroadcastCrash(figures));
    const { faults, doubled, status } = figures;
    expect({ faults, doubled, status }).toEqual({ faults: [], doubled: 0, status: "completed" });
  },
  180_000,
);
