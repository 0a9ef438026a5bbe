import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { resolveText } from "#src/modules/messages/text.ts";
import { composeText, previewText, variablesOf } from "#src/modules/templates/compose.ts";
import { parseBody, TemplateFault } from "#src/modules/templates/liquid.ts";

type Values = Record<string, string | number | boolean>;

const sarah = { first_name: "Sarah", last_name: "Miller", username: "sarah_miller" };

/** What a message says that is composed with these values and sent to Sarah. */
function said(body: string, values: Values = {}): string {
  const { text, missing } = composeText(parseBody(body), { values, own: values }, false);
  if (missing.length > 0) throw new Error(`without ${missing.join()}`);
  const resolved = resolveText(text, {}, sarah);
  if ("missing" in resolved) throw new Error(`unresolved {${resolved.missing}}`);
  return resolved.text;
}

function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof TemplateFault) return error.message;
    throw error;
  }
  return "";
}

describe("a body", () => {
  const cases: [body: string, values: Values, said: string][] = [
    ["Hey {first_name|there}, {{ customer_name }}!", { customer_name: "Acme" }, "Hey Sarah, Acme!"],
    ["{first_name}", { first_name: "Given" }, "Given"],
    ["{{ first_name }} {first_name}", { first_name: "Given" }, "Given Given"],
    ["{% if plan == 'pro' %}a{% elsif seats > 3 %}b{% else %}c{% endif %}", { plan: "free", seats: 4 }, "b"],
    ["{% if vip %}a{% else %}b{% endif %}{% unless vip %}c{% endunless %}", {}, "bc"],
    ["{% case day %}{% when 'sat', 'sun' %}rest{% else %}work{% endcase %}", { day: "sun" }, "rest"],
    ["{% assign total = price | times: 2 | plus: 0.5 %}{{ total }}", { price: 10 }, "20.5"],
    ["{{ city | default: 'your city' | upcase }}{{ none | default: '' }}", {}, "YOUR CITY"],
    ["{{ a }} {{ b }} {{ c }}", { a: true, b: 0, c: "" }, "true 0 "],
    ["{{ due | date: '%d.%m.%Y %H:%M' }}", { due: "2026-05-06T14:32:18Z" }, "06.05.2026 14:32"],
    ["{{ names | split: ',' | join: ' and ' }}", { names: "Ann,Bob" }, "Ann and Bob"],
    ["a {%- if true -%} b {%- endif -%} c", {}, "abc"],
    ["{% comment %}{nobody}{{ x }}{% endcomment %}{%# {y} %}x", {}, "x"],
    ["{% raw %}{{ x }} {first_name} \\{{% endraw %}", {}, "{{ x }} {first_name} \\{"],
    ["\\{{ x }} \\{% if %} \\{first_name} {{ 'a\\{b' }}", {}, "{{ x }} {% if %} {first_name} a{b"],
    ["{first{{ x }}} {% if true %}{first{% endif %}_name}", { x: "_name" }, "{first_name} {first_name}"],
    ["{{ x }}{first_name}", { x: "C:\\\\" }, "C:\\\\Sarah"],
    ["{{ '\\u0000' }}{{ '\\ud800' }}", {}, "{\ufffd"],
  ];
  test.each(cases)("%j", (body, values, expected) => expect(said(body, values)).toBe(expected));

  const broken: [body: string, fault: string][] = [
    ["one\ntwo {{ a | shout }}", "undefined filter: shout (line 2, column 5)"],
    ["{% if a %}", "tag {% if a %} not closed (line 1, column 1)"],
    ["{{ a", 'output "{{ a" not closed (line 1, column 1)'],
    ["\\{{{ a", 'output "{{ a" not closed (line 1, column 3)'],
    ["x{% endif %}", 'tag "endif" not found (line 1, column 2)'],
    ["{{}}".repeat(201), "it has 201 tags and outputs of Liquid; there can be 200"],
    [Array.from({ length: 51 }, (_, at) => `{{ v${at} }}`).join(""), "it uses 51 variables; there can be 50"],
    ...[
      "include 'a'",
      "render 'a'",
      "layout 'a'",
      "block a",
      "for a in b",
      "tablerow a in b",
      "cycle 1",
      "increment a",
      "capture a",
      "echo a",
      "liquid",
    ].map((tag): [string, string] => [`{% ${tag} %}`, `tag "${tag.split(" ")[0]}" not found (line 1, column 1)`]),
    ...["raw", "json", "where_exp: 'a', 'b'", "base64_decode", "sample"].map((filter): [string, string] => [
      `{{ a | ${filter} }}`,
      `undefined filter: ${filter.split(":")[0]} (line 1, column 1)`,
    ]),
  ];
  test.each(broken)("%j is refused", (body, fault) => expect(faultOf(() => variablesOf(parseBody(body)))).toBe(fault));

  test("uses the names that it looks up, in both syntaxes, and not those that it makes", () => {
    const body =
      "{first_name|x} {{ b.c }} {% assign d = e %}{{ d }}{% if f > 1 %}{g}{{ h | append: i }}{% endif %}{% raw %}{{ j }}{% endraw %}\\{k}";
    expect(variablesOf(parseBody(body))).toEqual(["b", "e", "f", "first_name", "g", "h", "i"]);
  });

  test("reaches nothing but what it was given", () => {
    for (const name of ["constructor", "__proto__", "size", "toString", "x.constructor", "x.__proto__"]) {
      const { missing } = composeText(parseBody(`{{ ${name} }}`), { values: { x: "text" }, own: {} }, false);
      expect([name, ...missing]).toEqual([name, name]);
    }
    expect(said("{{ __proto__ }}{{ x.size }}", JSON.parse('{"__proto__":"own","x":"abc"}') as Values)).toBe("own3");
    expect(said("{{ 'now' | date: '%Y' }}")).toBe("now");
  });

  test("can't make more than a message may have, nor take long about it", () => {
    const fault = (body: string, values: Values = {}) => faultOf(() => said(body, values));
    expect(fault("{{ x }}".repeat(9), { x: "x".repeat(1_000) })).toBe("it comes to more than 8192 characters");
    expect(fault("x".repeat(9_000))).toBe("it comes to more than 8192 characters");
    expect(fault("{{ (1..1000000000) | join }}")).toContain("memory alloc limit exceeded");
    expect(fault("{{ 0 | date: '%1000000000Y' }}")).toContain("memory alloc limit exceeded");
    const doubling = `{% assign x = 'x' %}${"{% assign x = x | append: x %}".repeat(60)}{{ x }}`;
    expect(fault(doubling)).toContain("memory alloc limit exceeded");
    expect(said(`${"{% if x %}".repeat(100)}deep${"{% endif %}".repeat(100)}`, { x: 1 })).toBe("deep");
  });
});

const values = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }).filter((text) => text.isWellFormed() && !text.includes("\0")),
  fc.string({ unit: fc.constantFrom("\\", "{", "}", "%", "|", "_", "first_name", "{first_name}", "{{ a }}", "{% if", "%}") }),
);

describe("any value of a variable", () => {
  // What stands before Liquid's braces would change what they are.
  const literal = fc
    .string({ unit: fc.constantFrom("\\{", "}", "|", "_", "name", "{first_name}", "{city|your city}", " ", "{ ", "a\\b"), maxLength: 6 })
    .filter((text) => !/\{[{%]|[\\{]$/.test(text));
  const piece = fc.oneof(
    literal.map((written) => ({ written, value: undefined, tag: null as string | null })),
    fc.record({
      value: values,
      tag: fc.constantFrom("{{ * }}", "{% if * %}{{ * }}{% endif %}", "{% assign x = * %}{{ x }}", "{*|nothing}"),
    }),
  );

  test("comes out as it is, wherever it stands and whatever it holds", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const given: Values = {};
        let body = "";
        let expected = "";
        for (const [at, part] of pieces.entries()) {
          if ("written" in part) {
            body += part.written;
            expected += said(part.written || "x").replace(part.written ? "" : "x", "");
          } else {
            given[`v${at}`] = part.value;
            body += part.tag.replaceAll("*", `v${at}`);
            expected += part.value;
          }
        }
        expect(said(body, given)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("any body is rendered or refused, and nothing else", () => {
  const word = fc.constantFrom(
    "{{",
    "}}",
    "{%",
    "%}",
    "if",
    "endif",
    "case",
    "when",
    "assign",
    "raw",
    "endraw",
    "=",
    "|",
    "a",
    "'",
    '"',
    "(1..9)",
    "append:",
  );
  const body = fc.string({ unit: fc.oneof(word, fc.constantFrom(" ", "\n", "\\", "{", "}", "[", "].", "-", "#", "😀")), maxLength: 40 });
  fc.assert(
    fc.property(body, values, (text, a) => {
      const fault = faultOf(() => {
        const parsed = parseBody(text);
        variablesOf(parsed);
        previewText(parsed, { a });
        composeText(parsed, { values: { a }, own: {} }, false);
      });
      expect(fault).not.toContain("\0");
    }),
    { numRuns: 3_000 },
  );
});
