import { describe, expect, test } from "bun:test";
import { entriesBack, tagsBack } from "#src/modules/contacts/three-way.ts";

const json = (value: unknown) => JSON.stringify(value);

describe("a change is taken back", () => {
  test.each([
    ["as it was left", { a: "2", b: "1" }, { a: "1" }, false],
    ["with an entry of somebody else's", { a: "2", b: "1", c: "9" }, { a: "1", c: "9" }, false],
    ["but for what somebody has changed", { a: "7", b: "1" }, { a: "7" }, true],
    ["but for what somebody has taken away", { b: "1" }, {}, true],
    ["where somebody has done so already", { a: "1" }, { a: "1" }, false],
  ])("from entries %s", (_how, now, back, left) => {
    expect(entriesBack(json(now), [json({ a: "1" }), json({ a: "2", b: "1" })])).toEqual({ json: json(back), left });
  });

  test("from entries that are called as what every object has", () => {
    const [before, after] = ['{"own":"1"}', '{"own":"1","__proto__":"2","constructor":"3"}'];
    expect(entriesBack('{"own":"1","__proto__":"2","constructor":"3","more":"4"}', [before, after]).json).toBe('{"own":"1","more":"4"}');
    expect(entriesBack('{"own":"1","more":"4"}', [after, before]).json).toBe('{"own":"1","more":"4","__proto__":"2","constructor":"3"}');
  });

  test.each([
    [["b", "c"], ["a", "b"], false],
    [["b", "c", "d"], ["b", "d", "a"], false],
    [["b"], ["a", "b"], true],
    [["a", "b", "c"], ["a", "b"], true],
  ])("from the tags %j, which become %j", (now, back, left) => {
    expect(tagsBack(json(now), [json(["a", "b"]), json(["b", "c"])])).toEqual({ json: json(back), left });
  });
});
