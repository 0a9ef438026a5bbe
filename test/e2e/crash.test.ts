import { beforeAll, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { crash, describeCrash } from "./crash.ts";

beforeAll(() => executable(), 60_000);

const ROUNDS = 20;

test("kill -9 at random moments under a load of sends loses nothing and repeats nothing", async () => {
  const figures = await crash(ROUNDS);
  process.stdout.write(describeCrash(figures));
  const { queued, faults, unexpected, unknownWithoutCause, doubled, integrity } = figures;
  const nothingWrong = { queued: 0, faults: [], unexpected: [], unknownWithoutCause: [], doubled: 0, integrity: "ok" };
  expect({ queued, faults, unexpected, unknownWithoutCause, doubled, integrity }).toEqual(nothingWrong);
  // That there was something to lose.
  expect(figures.acknowledged).toBeGreaterThan(ROUNDS * 10);
  expect(figures.sent).toBeGreaterThan(figures.unknown.length);
  expect(figures.onTheWire).toBeGreaterThan(0);
}, 120_000);
