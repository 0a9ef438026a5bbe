import { beforeAll, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { describeChaos, smallPlan, webhookChaos } from "./webhook-chaos.ts";

beforeAll(() => executable(), 60_000);

/** At most so many of what had just been answered is asked again after a kill, for each endpoint: what was under way. */
const DOUBLED_BY_A_KILL = 64;

test("kill -9 under deliveries to receivers that fail in every way loses no event, and repeats only what was under way", async () => {
  const figures = await webhookChaos(smallPlan);
  process.stdout.write(describeChaos(figures));
  const { faults, unexpected, integrity } = figures;
  expect({ faults: faults.slice(0, 20), unexpected, integrity }).toEqual({ faults: [], unexpected: [], integrity: "ok" });
  expect(figures.doubledByOneKill).toBeLessThanOrEqual(DOUBLED_BY_A_KILL * figures.endpoints);
  // That there was something to lose.
  expect(figures.acknowledged).toBe(smallPlan.requests);
  expect(figures.deadLetters).toBeGreaterThan(0);
  expect(figures.failures).toBeGreaterThan(100);
}, 180_000);
