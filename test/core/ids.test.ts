import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeTime } from "ulid";
import { idPattern, lowestId, newId } from "#src/core/ids.ts";

const latest = decodeTime(newId("req").slice("req_".length));
/** Not before the last id's own time, so that each carries the time that it was given. */
const moments = fc.array(fc.integer({ min: latest + 1, max: latest + 10_000 }), { minLength: 1, maxLength: 200 });

describe("ids", () => {
  test("ascend in the order of their making, whatever the clock does, and never repeat", () => {
    fc.assert(
      fc.property(moments, (times) => {
        const ids = times.map((ms) => newId("msg", ms));
        expect(ids).toEqual([...new Set(ids)].toSorted());
        for (const id of ids) expect(id).toMatch(new RegExp(idPattern("msg")));
      }),
    );
  });

  test("carry the latest time that the process has seen", () => {
    const start = decodeTime(newId("req").slice("req_".length)) + 1;
    for (const ahead of [0, 1, 5, 3, 9]) {
      const id = newId("evt", start + ahead);
      expect(decodeTime(id.slice("evt_".length))).toBe(start + (ahead === 3 ? 5 : ahead));
    }
  });

  test("are found by their time: the lowest of a millisecond stands before its ids and after those of the one before", () => {
    const now = decodeTime(newId("req").slice("req_".length)) + 1;
    const id = newId("msg", now);
    expect(lowestId("msg", now) <= id).toBeTrue();
    expect(id < lowestId("msg", now + 1)).toBeTrue();
    expect(lowestId("msg", -5)).toBe(`msg_${"0".repeat(26)}`);
  });
});
