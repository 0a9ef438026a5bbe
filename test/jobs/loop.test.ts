import { beforeAll, describe, expect, test } from "bun:test";
import { engines, freshDatabase } from "#test/support/databases.ts";
import { turn } from "#test/support/sending.ts";
import { type Copy, ENV, openStage, type Stage } from "./stage.ts";

async function openOne(stage: Stage, lanes: string[], limits?: Parameters<Stage["open"]>[0]): Promise<Copy> {
  const copy = stage.open(limits);
  await copy.loop.start();
  for (const lane of lanes) await stage.addLane(copy, lane);
  await copy.loop.settled();
  copy.did.length = 0;
  return copy;
}

const ran = ({ did }: Copy) => did.filter((what) => what.startsWith("run ")).map((what) => what.slice(4));

async function waitFor(copy: Copy, what: string): Promise<void> {
  while (!copy.did.includes(what)) await turn();
}

// The first of its kind in a run takes seconds to start.
beforeAll(async () => (await freshDatabase(engines().at(-1)!))[Symbol.asyncDispose](), 30_000);

describe.each(engines())("the job loop on %s", (engine) => {
  test("begins, runs and records what is due, each once", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a", "lane:b"]);
    await stage.enqueue(copy, ["a1", "a2", "b1", "free1"]);
    await copy.loop.settled();
    expect(ran(copy).toSorted()).toEqual(["a1", "a2", "b1", "free1"]);
    expect(copy.did.filter((what) => what.startsWith("end")).toSorted()).toEqual(["end a1 0", "end a2 0", "end b1 0", "end free1 0"]);
    expect(await stage.queued()).toEqual([]);
  });

  test("runs the jobs of a chat one after another, and others beside them", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"]);
    stage.parts["a1"] = { hangs: true };
    await stage.enqueue(copy, ["a1", "a2"], { chat: "sarah" });
    // On PostgreSQL two transactions begin jobs side by side, in either order.
    await waitFor(copy, "run a1");
    await stage.enqueue(copy, ["a3"], { chat: "tom" });
    await waitFor(copy, "end a3 0");
    expect(ran(copy)).toEqual(["a1", "a3"]);
    copy.letGo("a1");
    await copy.loop.settled();
    expect(ran(copy)).toEqual(["a1", "a3", "a2"]);
  });

  test("wakes at the moment at which a job is due", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"]);
    await stage.enqueue(copy, ["a1", "free1"], { run_at: copy.clock.now() + 5_000 });
    await copy.loop.settled();
    copy.clock.advance(4_999);
    await copy.loop.settled();
    expect(ran(copy)).toEqual([]);
    copy.clock.advance(1);
    await copy.loop.settled();
    expect(ran(copy).toSorted()).toEqual(["a1", "free1"]);
  });

  test("holds the lane of a snoozing job alone, at no cost of an attempt", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a", "lane:b"]);
    stage.parts["a1"] = { outcomes: [{ kind: "snooze", ms: 5_000, reason: "patience" }, { kind: "done" }] };
    await stage.enqueue(copy, ["a1"]);
    await copy.loop.settled();
    await stage.enqueue(copy, ["a2", "b1"]);
    await copy.loop.settled();
    expect(ran(copy)).toEqual(["a1", "b1"]);
    const lanes = await stage.db.read.selectFrom("lanes").select(["lane", "held_until", "hold_reason"]).orderBy("lane").execute();
    expect(lanes).toEqual([
      { lane: "lane:a", held_until: copy.clock.now() + 5_000, hold_reason: "patience" },
      { lane: "lane:b", held_until: null, hold_reason: null },
    ]);
    copy.clock.advance(5_000);
    await copy.loop.settled();
    expect(ran(copy)).toEqual(["a1", "b1", "a1", "a2"]);
    expect(copy.did).toContain("end a1 0");
    expect(copy.did).not.toContain("end a1 1");
  });

  test("counts an attempt for a job that is to be tried again", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"]);
    const again = { kind: "retry", ms: 1_000, reason: "no answer" } as const;
    for (const id of ["a1", "free1"]) stage.parts[id] = { outcomes: [again, again, { kind: "done" }] };
    await stage.enqueue(copy, ["a1", "free1"]);
    for (let round = 0; round < 3; round++) {
      await copy.loop.settled();
      copy.clock.advance(1_000);
    }
    await copy.loop.settled();
    for (const id of ["a1", "free1"])
      expect(copy.did.filter((what) => what.startsWith(`end ${id}`))).toEqual([`end ${id} 0`, `end ${id} 1`, `end ${id} 2`]);
    expect(await stage.queued()).toEqual([]);
  });

  test("stops a lane until somebody lets it go on, also over a restart", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"]);
    stage.parts["a1"] = { outcomes: [{ kind: "stop", reason: "the token is refused" }, { kind: "done" }] };
    await stage.enqueue(copy, ["a1"]);
    await copy.loop.settled();
    await stage.enqueue(copy, ["a2"]);
    copy.clock.advance(1_000_000);
    await copy.loop.settled();
    await copy.loop.stop();
    await copy.loop.start();
    await copy.loop.settled();
    expect([ran(copy), await stage.queued()]).toEqual([["a1"], ["a1", "a2"]]);
    await stage.db.write((tx) => copy.loop.pauseLane(tx, ENV, "lane:a", false));
    await copy.loop.settled();
    expect(ran(copy)).toEqual(["a1", "a1", "a2"]);
    expect(copy.did).not.toContain("end a1 1");
  });

  test("keeps its place for a job that goes back", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"], { limits: { lane: [{ count: 1, per_ms: 1_000 }], chat: [] } });
    stage.parts["a1"] = { outcomes: [{ kind: "snooze", ms: 1, reason: "" }, { kind: "done" }] };
    await stage.enqueue(copy, ["a1", "a2", "a3"], { chat: "sarah" });
    for (let second = 0; second < 5; second++) {
      await copy.loop.settled();
      copy.clock.advance(1_000);
    }
    expect(ran(copy)).toEqual(["a1", "a1", "a2", "a3"]);
  });

  test("does not begin what was withdrawn, also when it had been read already", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"], { limits: { lane: [{ count: 1, per_ms: 1_000 }], chat: [] } });
    await stage.enqueue(copy, ["a1", "a2", "a3"]);
    await copy.loop.settled();
    const answers = await stage.db.write(async (tx) => [await copy.loop.withdraw(tx, ENV, "a2"), await copy.loop.withdraw(tx, ENV, "a2")]);
    expect(answers).toEqual([true, false]);
    copy.clock.advance(1_000);
    await copy.loop.settled();
    copy.clock.advance(1_000);
    await copy.loop.settled();
    expect(ran(copy)).toEqual(["a1", "a3"]);
  });

  test("is not held up by a job that can't be begun, run or recorded", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a", "lane:b", "lane:c", "lane:d"]);
    for (const [id, at] of [
      ["a1", "begin"],
      ["b1", "run"],
      ["c1", "end"],
    ] as const)
      stage.parts[id] = { fails: { at, times: 2 } };
    await stage.enqueue(copy, ["a1", "b1", "c1", "d1", "d2"]);
    while (!["end d1 0", "end d2 0"].every((what) => copy.did.includes(what))) await turn();
    await stage.enqueue(copy, ["d3"]);
    await waitFor(copy, "end d3 0");
    while ((await stage.queued()).length > 0) {
      copy.clock.advance(60_000);
      await turn();
    }
    await copy.loop.settled();
    // What is on the wire twice is sent twice: an outcome that can't be recorded is kept, its job not run again.
    expect(ran(copy).filter((id) => id === "c1")).toEqual(["c1"]);
    expect(stage.log.some((line) => line.includes("stumbles at its begin"))).toBe(true);
  });

  test("gives up a job that can never be begun, and goes on with its lane", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"]);
    stage.parts["a1"] = { fails: { at: "begin", times: Number.POSITIVE_INFINITY } };
    await stage.enqueue(copy, ["a1", "a2"]);
    while ((await stage.queued()).length > 0) {
      copy.clock.advance(60_000);
      await turn();
    }
    await copy.loop.settled();
    expect(copy.did.filter((what) => what.startsWith("give up"))).toEqual(["give up a1"]);
    expect(ran(copy)).toEqual(["a2"]);
  });

  test("begins nothing while writes are refused, and everything once afterwards", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a", "lane:b"]);
    copy.breakWrites(true);
    await stage.enqueue(copy, ["a1", "b1", "free1"]);
    for (let second = 0; second < 3; second++) {
      for (let at = 0; at < 20; at++) await turn();
      copy.clock.advance(1_000);
    }
    expect(copy.did).toEqual([]);
    copy.breakWrites(false);
    copy.clock.advance(120_000);
    await copy.loop.settled();
    expect(ran(copy).toSorted()).toEqual(["a1", "b1", "free1"]);
    expect(await stage.queued()).toEqual([]);
  });

  test("runs a job without a lane once, however long it takes", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, []);
    stage.parts["free1"] = { hangs: true };
    await stage.enqueue(copy, ["free1"]);
    await waitFor(copy, "run free1");
    copy.clock.advance(120_000);
    await stage.enqueue(copy, ["free2"]);
    await waitFor(copy, "end free2 0");
    copy.letGo("free1");
    await copy.loop.settled();
    expect([ran(copy), await stage.queued()]).toEqual([["free1", "free2"], []]);
  });

  test("runs a job without a lane that was queued while it stood still", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, []);
    await copy.loop.settled();
    await copy.loop.stop();
    await stage.enqueue(copy, ["free1"]);
    await copy.loop.start();
    await copy.loop.settled();
    expect([ran(copy), await stage.queued()]).toEqual([["free1"], []]);
  });

  test("comes back to a job that was taken when writes began to be refused", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"]);
    copy.breakWrites(true, 1);
    await stage.enqueue(copy, ["free1"]);
    while (copy.loop.stats().running > 0 || !stage.log.some((line) => line.includes("could not be begun"))) await turn();
    copy.breakWrites(false);
    copy.clock.advance(1_000);
    await copy.loop.settled();
    copy.clock.advance(60_000);
    await copy.loop.settled();
    expect([ran(copy), await stage.queued()]).toEqual([["free1"], []]);
  });

  test("keeps outcomes that can't be written, and runs nothing twice because of it", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"]);
    for (const id of ["a1", "a2"]) stage.parts[id] = { hangs: true };
    await stage.enqueue(copy, ["a1", "a2"]);
    await waitFor(copy, "run a2");
    copy.breakWrites(true);
    copy.letGo("a1");
    copy.letGo("a2");
    for (let second = 0; second < 3; second++) {
      for (let at = 0; at < 20; at++) await turn();
      copy.clock.advance(1_000);
    }
    expect(await stage.queued()).toEqual(["a1", "a2"]);
    copy.breakWrites(false);
    copy.clock.advance(1_000);
    await copy.loop.settled();
    expect([ran(copy), await stage.queued()]).toEqual([["a1", "a2"], []]);
  });

  test("finishes and records what is on the wire when it is stopped, and begins nothing more", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"]);
    stage.parts["a1"] = { hangs: true };
    await stage.enqueue(copy, ["a1", "a2"], { chat: "sarah" });
    await waitFor(copy, "run a1");
    const stopped = copy.loop.stop();
    await stage.enqueue(copy, ["a3"]);
    copy.letGo("a1");
    await stopped;
    await copy.loop.stop();
    expect([ran(copy), await stage.queued()]).toEqual([["a1"], ["a2", "a3"]]);
    await copy.loop.start();
    await copy.loop.start();
    await copy.loop.settled();
    expect([ran(copy), await stage.queued()]).toEqual([["a1", "a2", "a3"], []]);
  });

  test("does nothing more once it has stopped, at whatever moment that was asked", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a", "lane:b"]);
    for (let turns = 0; turns < 12; turns++) {
      const ids = [`a${turns}`, `b${turns}`, `free${turns}`];
      await stage.enqueue(copy, ids);
      for (let at = 0; at < turns; at++) await turn();
      await copy.loop.stop();
      const [done, left] = [[...copy.did], await stage.queued()];
      expect(done.filter((what) => what.startsWith("run ")).length).toBe(done.filter((what) => what.startsWith("end ")).length);
      for (let at = 0; at < 20; at++) await turn();
      expect([copy.did, await stage.queued()]).toEqual([done, left]);
      await copy.loop.start();
      copy.clock.advance(120_000);
      await copy.loop.settled();
      expect(await stage.queued()).toEqual([]);
    }
    expect(new Set(ran(copy)).size).toBe(ran(copy).length);
  });

  test("breaks off what does not end when it is stopped", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"]);
    stage.parts["a1"] = { hangs: true };
    await stage.enqueue(copy, ["a1"]);
    await waitFor(copy, "run a1");
    const stopped = copy.loop.stop();
    while (!copy.did.includes("abort a1")) {
      await turn();
      copy.clock.advance(500);
    }
    await stopped;
    expect(copy.did).toEqual(["begin a1", "run a1", "abort a1", "end a1 0"]);
    expect(await stage.queued()).toEqual([]);
  });

  test("can be stopped while nothing can be written", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"]);
    stage.parts["a1"] = { hangs: true };
    await stage.enqueue(copy, ["a1"]);
    await waitFor(copy, "run a1");
    copy.breakWrites(true);
    copy.letGo("a1");
    const stopped = copy.loop.stop();
    for (let second = 0; second < 12; second++) {
      for (let at = 0; at < 10; at++) await turn();
      copy.clock.advance(1_000);
    }
    await stopped;
    expect(await stage.queued()).toEqual(["a1"]);
  });

  test("settles what a crash left before it begins anything of that lane", async () => {
    await using stage = await openStage(engine);
    const copy = stage.open();
    for (const lane of ["lane:a", "lane:b", "lane:c"]) await stage.addLane(copy, lane);
    await stage.enqueue(copy, ["a1", "b1", "c1"]);
    const starting = copy.loop.start();
    await stage.addLane(copy, "lane:d");
    await stage.enqueue(copy, ["d1"]);
    await starting;
    await copy.loop.settled();
    for (const name of ["a", "b", "c", "d"])
      expect([name, copy.did.indexOf(`rescue lane:${name}`) < copy.did.indexOf(`begin ${name}1`)]).toEqual([name, true]);
    expect(ran(copy).toSorted()).toEqual(["a1", "b1", "c1", "d1"]);
  });

  test("keeps little in memory of a long queue, and nothing on the wire beyond its bounds", async () => {
    await using stage = await openStage(engine);
    const copy = await openOne(stage, ["lane:a"]);
    const ids = Array.from({ length: 1_500 }, (_, at) => `a${String(at).padStart(5, "0")}`);
    for (const id of ids) stage.parts[id] = { hangs: true };
    await stage.enqueue(copy, ids);
    while (copy.loop.stats().running < 64) await turn();
    const { running, buffered } = copy.loop.stats();
    expect([running, buffered <= 256]).toEqual([64, true]);
    for (const id of ids) stage.parts[id] = {};
    for (const id of ids) copy.letGo(id);
    await copy.loop.settled();
    expect(new Set(ran(copy)).size).toBe(ids.length);
    expect(ran(copy).length).toBe(ids.length);
  });
});

describe("an idle job loop", () => {
  test("waits for nothing but an event", async () => {
    await using stage = await openStage("sqlite");
    const copy = await openOne(stage, ["lane:a"]);
    expect(copy.clock.nextTimer()).toBeNull();
    await stage.enqueue(copy, ["a1"], { run_at: copy.clock.now() + 86_400_000 });
    await copy.loop.settled();
    expect(copy.clock.nextTimer()).toBe(copy.clock.now() + 86_400_000);
  });
});
