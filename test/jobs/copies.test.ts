import { beforeAll, describe, expect, test } from "bun:test";
import { engines, freshDatabase } from "#test/support/databases.ts";
import { turn } from "#test/support/sending.ts";
import { createTestClock } from "#test/support/test-clock.ts";
import { type Copy, ENV, openStage, type Stage } from "./stage.ts";

const LEASE_MS = 30_000;
const shared = engines().filter((engine) => engine !== "sqlite");

const ran = ({ did }: Copy) => did.filter((what) => what.startsWith("run ")).map((what) => what.slice(4));

async function settled(...copies: Copy[]): Promise<void> {
  // One can wake the other: what has settled may have to do again.
  for (let round = 0; round < 3; round++) for (const { loop } of copies) await loop.settled();
}

async function ownersOf({ db }: Stage): Promise<Record<string, string | null>> {
  const rows = await db.read.selectFrom("lanes").select(["lane", "owner"]).orderBy("lane").execute();
  return Object.fromEntries(rows.map(({ lane, owner }) => [lane, owner]));
}

/** One copy that hangs, so that its clock stands still, with a job of a lane on the wire; and one that lives. */
async function besideSilent(stage: Stage, jobs: readonly [string, ...string[]]): Promise<{ silent: Copy; living: Copy }> {
  const silent = stage.open();
  const living = stage.open({ clock: createTestClock(silent.clock) });
  await silent.loop.start();
  await stage.addLane(silent, "lane:a");
  await silent.loop.settled();
  stage.parts[jobs[0]] = { hangs: true };
  await stage.enqueue(silent, [...jobs], { chat: "sarah" });
  while (!silent.did.includes(`run ${jobs[0]}`)) await turn();
  await living.loop.start();
  return { silent, living };
}

beforeAll(async () => (await freshDatabase(shared[0]!))[Symbol.asyncDispose](), 30_000);

describe.each(shared)("two copies on one database (%s)", (engine) => {
  test("serve each lane by one of them, and run each job once", async () => {
    await using stage = await openStage(engine);
    const clock = createTestClock();
    const [one, two] = [stage.open({ clock }), stage.open({ clock })];
    await one.loop.start();
    await two.loop.start();
    for (const [at, lane] of ["a", "b", "c", "d"].entries()) await stage.addLane(at % 2 === 0 ? one : two, `lane:${lane}`);
    await settled(one, two);
    const owners = await ownersOf(stage);
    expect(Object.values(owners).every((owner) => owner === "copy 1" || owner === "copy 2")).toBe(true);
    const ids = ["a", "b", "c", "d"].flatMap((lane) => Array.from({ length: 10 }, (_, at) => `${lane}${at}`));
    await Promise.all(ids.map((id, at) => stage.enqueue(at % 2 === 0 ? one : two, [id])));
    await settled(one, two);
    while ((await stage.queued()).length > 0) await turn();
    await settled(one, two);
    expect([...ran(one), ...ran(two)].toSorted()).toEqual(ids.toSorted());
    for (const [copy, name] of [
      [one, "copy 1"],
      [two, "copy 2"],
    ] as const)
      expect(ran(copy).every((id) => owners[`lane:${id[0]}`] === name)).toBe(true);
  });

  test("share the jobs without a lane, each of which runs once", async () => {
    await using stage = await openStage(engine);
    const clock = createTestClock();
    const [one, two] = [stage.open({ clock }), stage.open({ clock })];
    await one.loop.start();
    await two.loop.start();
    const ids = Array.from({ length: 60 }, (_, at) => `free${String(at).padStart(2, "0")}`);
    await stage.enqueue(one, ids, { run_at: clock.now() + 1_000 });
    two.loop.rescan();
    await settled(one, two);
    clock.advance(1_000);
    while ((await stage.queued()).length > 0) await turn();
    await settled(one, two);
    expect([...ran(one), ...ran(two)].toSorted()).toEqual(ids);
  });

  test("take over from one another at once when one is stopped", async () => {
    await using stage = await openStage(engine);
    const clock = createTestClock();
    const [one, two] = [stage.open({ clock }), stage.open({ clock })];
    await one.loop.start();
    await stage.addLane(one, "lane:a");
    await settled(one);
    await two.loop.start();
    await stage.enqueue(two, ["a1"]);
    await settled(one, two);
    await one.loop.stop();
    await stage.enqueue(two, ["a2"]);
    two.loop.rescan();
    await settled(two);
    expect([ran(one), ran(two)]).toEqual([["a1"], ["a2"]]);
    expect(two.did).toContain("rescue lane:a");
  });

  test("leave a lane alone as long as its owner renews the lease", async () => {
    await using stage = await openStage(engine);
    const clock = createTestClock();
    const [one, two] = [stage.open({ clock }), stage.open({ clock })];
    await one.loop.start();
    await stage.addLane(one, "lane:a");
    await settled(one);
    await two.loop.start();
    for (let second = 0; second < 120; second += 5) {
      clock.advance(5_000);
      await settled(one, two);
    }
    await stage.enqueue(two, ["a1"]);
    await settled(one, two);
    expect([await ownersOf(stage), ran(one), ran(two)]).toEqual([{ "lane:a": "copy 1" }, ["a1"], []]);
  });

  test("take over from one that fell silent, when its lease ends and not before", async () => {
    await using stage = await openStage(engine);
    const { silent, living } = await besideSilent(stage, ["a1", "a2"]);
    living.clock.advance(LEASE_MS);
    await living.loop.settled();
    expect(living.did).toEqual([]);
    living.clock.advance(10_000);
    while (!living.did.includes("rescue lane:a")) await turn();
    while (!living.did.includes("run a1")) await turn();
    expect(await ownersOf(stage)).toEqual({ "lane:a": "copy 2" });
    living.letGo("a1");
    await living.loop.settled();
    expect(ran(living)).toEqual(["a1", "a2"]);
    // The silent one comes back to life, and begins nothing of what is no longer its own.
    silent.letGo("a1");
    while (!silent.did.includes("end a1 0")) await turn();
    await stage.enqueue(silent, ["a3"]);
    await settled(silent, living);
    while ((await stage.queued()).length > 0) await turn();
    expect([ran(silent), ran(living)]).toEqual([["a1"], ["a1", "a2", "a3"]]);
  });

  test("go on with a lane that was lost and won again while a job of it was on the wire", async () => {
    await using stage = await openStage(engine);
    const { silent, living } = await besideSilent(stage, ["a1"]);
    living.clock.advance(LEASE_MS + 10_000);
    while (!living.did.includes("run a1")) await turn();
    living.letGo("a1");
    await living.loop.settled();
    // It hears that the lane is another's, and then that it is free.
    const renewals = async () => {
      silent.clock.advance(LEASE_MS + 10_000);
      for (let turns = 0; turns < 50; turns++) await turn();
    };
    await renewals();
    await living.loop.stop();
    while ((await ownersOf(stage))["lane:a"] !== "copy 1") await renewals();
    silent.letGo("a1");
    while (!silent.did.includes("end a1 0")) await turn();
    await stage.enqueue(silent, ["a2", "a3"], { chat: "sarah" });
    await settled(silent);
    expect([ran(silent), ran(living)]).toEqual([["a1", "a2", "a3"], ["a1"]]);
    expect(silent.loop.inFlight(ENV)).toBe(0);
    expect(await stage.queued()).toEqual([]);
  });

  test("take a job without a lane over when the lease of who took it has ended", async () => {
    await using stage = await openStage(engine);
    const silent = stage.open();
    const living = stage.open({ clock: createTestClock(silent.clock) });
    await silent.loop.start();
    stage.parts["free1"] = { hangs: true };
    await stage.enqueue(silent, ["free1"]);
    while (!silent.did.includes("run free1")) await turn();
    await living.loop.start();
    await living.loop.settled();
    living.clock.advance(59_999);
    await living.loop.settled();
    expect(ran(living)).toEqual([]);
    living.clock.advance(1);
    while (!living.did.includes("run free1")) await turn();
    living.letGo("free1");
    await living.loop.settled();
    expect(await stage.queued()).toEqual([]);
  });

  test("hear of each other's pauses and holds", async () => {
    await using stage = await openStage(engine);
    const clock = createTestClock();
    const [one, two] = [stage.open({ clock }), stage.open({ clock })];
    await one.loop.start();
    await stage.addLane(one, "lane:a");
    await settled(one);
    await two.loop.start();
    await stage.db.write((tx) => two.loop.pauseLane(tx, ENV, "lane:a", true));
    await settled(one, two);
    await stage.enqueue(one, ["a1"]);
    await settled(one, two);
    expect(ran(one)).toEqual([]);
    await stage.db.write((tx) => two.loop.pauseLane(tx, ENV, "lane:a", false));
    while (!one.did.includes("end a1 0")) await turn();
    await settled(one, two);
    expect(ran(two)).toEqual([]);
  });
});
