import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalJson, findBadText, isNestedDeeper } from "#src/core/json.ts";

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map((member) => depthOf(member))) : 0;

describe("the nesting of JSON", () => {
  test("is what it is, whatever stands in its texts", () => {
    fc.assert(
      fc.property(
        fc.object({
          key: fc.constantFrom("[", '"', "\\", '\\"', "{", "a"),
          values: [fc.string(), fc.constantFrom('"[', "\\", '\\"{', "]")],
          maxDepth: 5,
        }),
        (value) => {
          const depth = depthOf(JSON.parse(JSON.stringify(value)));
          for (const json of [JSON.stringify(value), JSON.stringify(value, null, 2)])
            expect([isNestedDeeper(json, depth - 1), isNestedDeeper(json, depth)]).toEqual([true, false]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("can be deeper than any stack", () => {
    expect(isNestedDeeper("[".repeat(1_000_000) + "]".repeat(1_000_000), 100)).toBe(true);
  });
});

describe("canonical JSON", () => {
  test("is equal for equal values, in whatever order their members stand", () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([name, member]) => [name, reversed(member)]),
      );
    };
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => canonicalJson(value) === canonicalJson(reversed(value))));
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) =>
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value))),
      ),
    );
  });
});

describe("bad text", () => {
  test("is found wherever it stands, and named", () => {
    expect(findBadText({ a: ["x", { b: "\0" }] })).toBe("a.1.b");
    expect(findBadText({ a: { "\ud800": 1 } })).toBe("a");
    expect(findBadText("\udc00")).toBe("");
    expect(findBadText({ a: "😀", b: [1, null, true], c: "\u2028" })).toBeUndefined();
  });
});
