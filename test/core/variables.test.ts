import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createTextWriter, fillVariables, partsOf } from "#src/core/variables.ts";

/** Characters that mean something in a text, in every order. */
const tricky = fc.string({ unit: fc.constantFrom("\\", "{", "}", "|", "_", "a", "first_name", "{first_name}", " ", "😀"), maxLength: 12 });

const fill = (text: string, values: Record<string, string> = {}) => {
  const missing: string[] = [];
  const filled = fillVariables(
    text,
    (name) => values[name],
    (name) => missing.push(name),
  );
  return { filled, missing };
};

describe("a text's variables", () => {
  test("are filled by their values, else by their fallbacks, and are told when they have neither", () => {
    expect(fill("{a} {b|two} {c|} {d} \\{a}", { a: "{b}" })).toEqual({ filled: "{b} two  {d} {a}", missing: ["d"] });
  });

  test("named _ take what stands behind their bar, whatever is known", () => {
    expect(fill("{_|x}{_}", { _: "known" })).toEqual({ filled: "x{_}", missing: ["_"] });
  });

  test("are told apart from the characters between them, of which nothing is lost", () => {
    expect([...partsOf("Hey {a|b}\\{c} {d")]).toEqual(["Hey ", { name: "a", fallback: "b", written: "{a|b}" }, "{", "c} {d"]);
    fc.assert(
      fc.property(tricky, (text) => {
        const plain = [...partsOf(text)].map((part) => (typeof part === "string" ? part : part.written)).join("");
        expect(plain).toBe(text.replaceAll("\\{", "{"));
      }),
    );
  });
});

describe("a written text", () => {
  test("has its plain parts come out as they are, and its variables filled, whatever stands side by side", () => {
    const part = fc.oneof(
      tricky.map((plain) => ({ plain, expected: plain, isVariable: false })),
      fc.constantFrom(
        { plain: "{first_name}", expected: "Sarah", isVariable: true },
        { plain: "{nobody|\\}", expected: "\\", isVariable: true },
      ),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const writer = createTextWriter();
        for (const { plain, isVariable } of parts)
          if (isVariable) writer.addVariable(plain);
          else writer.addPlain(plain);
        expect(fill(writer.text, { first_name: "Sarah" })).toEqual({ filled: parts.map(({ expected }) => expected).join(""), missing: [] });
      }),
      { numRuns: 2_000 },
    );
  });

  test("without variables has no more than its escapes", () => {
    const writer = createTextWriter();
    writer.addPlain("C:\\");
    writer.addPlain("{a}");
    expect(writer.text).toBe("C:\\\\{a}");
    expect(fill(writer.text)).toEqual({ filled: "C:\\{a}", missing: [] });
  });
});
