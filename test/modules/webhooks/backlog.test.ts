import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isAfter } from "#src/modules/events/model.ts";
import { createBacklog, type Entry, type FeedEvent } from "#src/modules/webhooks/backlog.ts";

const event = (seq: number, about: string[]): FeedEvent => ({
  ...{ tx_id: 0, seq, id: `evt_${seq}`, type: "message.sent", event: {}, bytes: new Uint8Array(), about },
});

describe("a backlog", () => {
  test("gives out what is about different people at once, and what is about the same one after another", () => {
    const backlog = createBacklog({ tx_id: 0, seq: 0 });
    backlog.add(event(1, ["msg_1", "ct_1"]));
    backlog.add(event(2, ["msg_2", "ct_1"]));
    backlog.add(event(3, ["msg_3", "ct_2"]));
    backlog.readTo({ tx_id: 0, seq: 5 });
    const [first, third] = [backlog.next()!, backlog.next()!];
    expect([first.event.seq, third.event.seq]).toEqual([1, 3]);
    expect(backlog.next()).toBeUndefined();
    backlog.settle(third);
    expect(backlog.settledTo().seq).toBe(0);
    backlog.settle(first);
    expect(backlog.settledTo().seq).toBe(1);
    backlog.settle(backlog.next()!);
    expect(backlog.settledTo().seq).toBe(5);
  });

  test("keeps nothing of what is settled behind one that takes long", async () => {
    const backlog = createBacklog({ tx_id: 0, seq: 0 });
    backlog.add(event(1, ["slow"]));
    backlog.next();
    const settled: WeakRef<FeedEvent>[] = [];
    for (let seq = 2; seq <= 5_000; seq++) {
      backlog.add(event(seq, [String(seq)]));
      const entry = backlog.next()!;
      settled.push(new WeakRef(entry.event));
      backlog.settle(entry);
    }
    // What is held weakly stays to the end of its turn.
    await new Promise((resolve) => setImmediate(resolve));
    Bun.gc(true);
    expect(settled.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(1_000);
    expect(backlog.settledTo().seq).toBe(0);
  });

  test("what was jumped over is settled no more", () => {
    const backlog = createBacklog({ tx_id: 0, seq: 0 });
    backlog.add(event(1, ["a"]));
    backlog.add(event(2, ["a"]));
    const held = backlog.next()!;
    backlog.jump({ tx_id: 0, seq: 9 });
    backlog.putBack(held);
    backlog.settle(held);
    expect(backlog.next()).toBeUndefined();
    expect(backlog.size).toBe(0);
    expect(backlog.settledTo().seq).toBe(9);
  });

  const subjects = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 3 });
  const steps = fc.array(fc.nat({ max: 100 }), { maxLength: 200 });

  test("whatever is settled when, every event is given out once, in order within each subject, and the place is never ahead", () => {
    fc.assert(
      fc.property(fc.array(subjects, { maxLength: 40 }), steps, (abouts, choices) => {
        const backlog = createBacklog({ tx_id: 0, seq: 0 });
        const held: Entry[] = [];
        const given: number[] = [];
        const settled = new Set<number>();
        const waiting = abouts.map((about, at) => event(at + 1, about));
        const all = [...waiting];
        const turn = (choice: number) => {
          if (choice % 3 === 0 && waiting.length > 0) backlog.add(waiting.shift()!);
          else if (choice % 3 === 1) {
            const entry = backlog.next();
            if (entry === undefined) return;
            for (const other of held) expect(other.event.about.some((one) => entry.event.about.includes(one))).toBe(false);
            held.push(entry);
            given.push(entry.event.seq);
          } else if (held.length > 0) {
            const [entry] = held.splice(choice % held.length, 1);
            backlog.settle(entry!);
            settled.add(entry!.event.seq);
          }
          const place = backlog.settledTo();
          for (const one of all) if (!isAfter(one, place)) expect(settled.has(one.seq)).toBe(true);
        };
        for (const choice of choices) turn(choice);
        for (let left = 0; left < all.length * 3; left++) for (const choice of [0, 1, 2]) turn(choice);
        expect(given.toSorted((a, b) => a - b)).toEqual(all.map(({ seq }) => seq));
        for (const subject of ["a", "b", "c", "d"]) {
          const ofSubject = given.filter((seq) => all[seq - 1]!.about.includes(subject));
          expect(ofSubject).toEqual(ofSubject.toSorted((a, b) => a - b));
        }
        expect(backlog.size).toBe(0);
      }),
    );
  });
});
