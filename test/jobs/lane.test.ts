import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Job } from "#src/jobs/job.ts";
import { createWorld, drain, type World } from "./lane-model.ts";

const chats = fc.constantFrom("a", "b", "c", null);
const limit = fc.record({ count: fc.integer({ min: 1, max: 5 }), per_ms: fc.integer({ min: 1, max: 2_000 }) });
const limits = fc.record({ lane: fc.array(limit, { maxLength: 2 }), chat: fc.array(limit, { maxLength: 2 }) });

type Act =
  | { do: "enqueue"; chat: string | null; in: number; during: boolean }
  | { do: "collect"; most: number }
  | { do: "finish" | "putBack" | "drop"; pick: number }
  | { do: "wait"; ms: number }
  | { do: "rescan" }
  | { do: "fail" };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("enqueue" as const),
      chat: chats,
      in: fc.constantFrom(0, 0, 0, 1, 500, 5_000),
      during: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("collect" as const), most: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("finish" as const, "putBack" as const, "drop" as const), pick: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 100, 1_000) }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "rescan" as const }, { do: "fail" as const }) },
);

async function play(world: World, acts: readonly Act[]): Promise<void> {
  for (const one of acts) {
    if (one.do === "enqueue") {
      const enqueue = () => world.enqueue(one.chat, world.now + one.in);
      if (one.during) world.meanwhile.push(enqueue);
      else enqueue();
    } else if (one.do === "collect") await world.collect(one.most).catch(() => {});
    else if (one.do === "fail") world.failures = 1;
    else if (one.do === "wait") world.now += one.ms;
    else if (one.do === "rescan") world.lane.rescan();
    else {
      const job = [...world.inFlight][one.pick % Math.max(1, world.inFlight.size)];
      if (job !== undefined) world[one.do](job);
    }
  }
}

/** The most departures in any window of this length. */
function mostWithin(times: readonly number[], per_ms: number): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + per_ms).length));
}

function checkPace(
  { departures }: World,
  of: { lane: readonly { count: number; per_ms: number }[]; chat: readonly { count: number; per_ms: number }[] },
): void {
  const times = departures.map(({ at }) => at);
  for (const { count, per_ms } of of.lane) expect(mostWithin(times, per_ms)).toBeLessThanOrEqual(count);
  for (const [chat, ofChat] of Map.groupBy(departures, ({ job }) => job.chat)) {
    if (chat === null) continue;
    for (const { count, per_ms } of of.chat)
      expect(
        mostWithin(
          ofChat.map(({ at }) => at),
          per_ms,
        ),
      ).toBeLessThanOrEqual(count);
  }
}

describe("a lane", () => {
  test("lets every job leave, whatever happens in between, in its chat's order and never faster than its limits", async () => {
    await fc.assert(
      fc.asyncProperty(limits, fc.array(act, { maxLength: 60 }), async (of, acts) => {
        const world = createWorld(of);
        await play(world, acts);
        for (const enqueue of world.meanwhile.splice(0)) enqueue();
        world.failures = 0;
        for (const job of [...world.inFlight]) world.finish(job);
        await drain(world, 10);
        checkPace(world, of);
        expect(world.overtakings).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test("keeps the order within a chat, one at a time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(chats, { maxLength: 80 }),
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.nat(20), { maxLength: 80 }),
        async (names, most, picks) => {
          const world = createWorld({ lane: [], chat: [] });
          for (const chat of names) world.enqueue(chat, world.now);
          for (const pick of picks) {
            await world.collect(most);
            const running = [...world.inFlight].map(({ chat }) => chat).filter((chat) => chat !== null);
            expect(new Set(running).size).toBe(running.length);
            const job = [...world.inFlight][pick % Math.max(1, world.inFlight.size)];
            if (job !== undefined) world.finish(job);
          }
          for (const job of [...world.inFlight]) world.finish(job);
          await drain(world);
          for (const ofChat of Map.groupBy(world.departures, ({ job }) => job.chat).values()) {
            const ids = ofChat.map(({ job }) => job.id);
            expect(ids).toEqual(ids.toSorted());
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("finds a job that was committed after a later one of the same moment", async () => {
    const world = createWorld({ lane: [], chat: [] });
    world.enqueue("a", world.now, "job_2");
    expect((await world.collect()).map(({ id }) => id)).toEqual(["job_2"]);
    world.enqueue("b", world.now, "job_1");
    expect((await world.collect()).map(({ id }) => id)).toEqual(["job_1"]);
  });

  test("finds a job whose time lies before what was read, as after a step of the wall clock", async () => {
    const world = createWorld({ lane: [], chat: [] });
    world.enqueue("a", world.now);
    await world.collect();
    world.enqueue("b", world.now - 60_000);
    expect((await world.collect()).length).toBe(1);
  });

  test("puts a job back into its place, ahead of what came after it", async () => {
    const world = createWorld({ lane: [], chat: [] });
    const [first] = [world.enqueue("a", world.now), world.enqueue("a", world.now)];
    const [taken] = await world.collect();
    world.putBack(taken!);
    expect((await world.collect()).map(({ id }) => id)).toEqual([first.id]);
  });

  test("holds back everything while it is paused or held, and names the moment", async () => {
    const world = createWorld({ lane: [], chat: [] });
    world.enqueue("a", world.now);
    world.lane.heldUntil = world.now + 7_000;
    expect([(await world.collect()).length, world.lane.nextAt(world.now)]).toEqual([0, world.now + 7_000]);
    world.now += 7_000;
    world.lane.paused = true;
    expect([(await world.collect()).length, world.lane.nextAt(world.now)]).toEqual([0, Number.POSITIVE_INFINITY]);
    world.lane.paused = false;
    expect((await world.collect()).length).toBe(1);
  });

  test("names the moment of the next scheduled job, and of the next free place in its pace", async () => {
    const world = createWorld({ lane: [{ count: 1, per_ms: 1_000 }], chat: [] });
    world.enqueue("a", world.now + 5_000);
    await world.collect();
    expect(world.lane.nextAt(world.now)).toBe(world.now + 5_000);
    world.enqueue("b", world.now);
    world.enqueue("c", world.now);
    const [job] = await world.collect();
    world.finish(job!);
    await world.collect();
    expect(world.lane.nextAt(world.now)).toBe(world.now + 1_000);
  });
});

describe("a flood to one chat", () => {
  const flood = (world: World, count: number, chat = "flooded"): Job[] =>
    Array.from({ length: count }, () => world.enqueue(chat, world.now));

  test("does not keep the others waiting", async () => {
    const world = createWorld({ lane: [{ count: 30, per_ms: 1_000 }], chat: [{ count: 1, per_ms: 1_000 }] });
    flood(world, 2_000);
    const others = Array.from({ length: 20 }, (_, at) => world.enqueue(`other ${at}`, world.now));
    const taken = await world.collect();
    for (let turn = 0; turn < 20 && world.departures.length < 21; turn++) await world.collect();
    const left = new Set(world.departures.map(({ job }) => job.id));
    expect(others.every(({ id }) => left.has(id))).toBe(true);
    expect(taken.filter(({ chat }) => chat === "flooded").length).toBeLessThanOrEqual(1);
  });

  test("leaves in order and in full", async () => {
    const world = createWorld({ lane: [], chat: [] });
    const jobs = flood(world, 1_000);
    await drain(world);
    expect(world.departures.map(({ job }) => job.id)).toEqual(jobs.map(({ id }) => id));
  });

  test("is not read from the start again for each of its jobs", async () => {
    const world = createWorld({ lane: [], chat: [] });
    flood(world, 2_000);
    await drain(world);
    expect(world.read).toBeLessThan(2_000 * 6);
  });
});

describe("a long queue", () => {
  test("is read a little at a time, however long it is and to whomever it goes", async () => {
    for (const chatOf of [(at: number) => `chat ${at}`, () => "one", (at: number) => `chat ${at % 3}`, () => null]) {
      const world = createWorld({ lane: [{ count: 30, per_ms: 1_000 }], chat: [{ count: 1, per_ms: 1_000 }] });
      for (let at = 0; at < 20_000; at++) world.enqueue(chatOf(at), world.now);
      for (let turn = 0; turn < 30; turn++) {
        const before = world.read;
        for (const job of await world.collect()) world.finish(job);
        // What one turn reads holds up everybody else.
        expect(world.read - before).toBeLessThanOrEqual(2_000);
        expect(world.lane.buffered).toBeLessThanOrEqual(256 + 64);
        world.now += 100;
      }
      expect(world.departures.length).toBeGreaterThan(2);
    }
  });
});
