import { describe, expect, test } from "bun:test";
import { parseHtml } from "./html.ts";
import { parseMarkdown } from "./markdown.ts";
import { parseMarkdownV2 } from "./markdown-v2.ts";
import type { Marked } from "./markup.ts";

/** As `type(text)`, where an entity stands in the text. */
function shown({ text, entities }: Marked) {
  return { text, entities: entities.map(({ type, offset, length }) => `${type}(${text.slice(offset, offset + length)})`) };
}

function refusal(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was parsed");
}

describe("HTML", () => {
  test("tags nest, and references become characters", () => {
    expect(
      shown(parseHtml('<b>Grüße <i>an</i></b> &lt;alle&gt; &#128512; &nope; <a href="https://example.com/?a&amp;b">hier</a>')),
    ).toEqual({
      text: "Grüße an <alle> 😀 &nope; hier",
      entities: ["bold(Grüße an)", "italic(an)", "text_link(hier)"],
    });
    expect(parseHtml('<pre><code class="language-ts">let a</code></pre>').entities).toEqual([
      { type: "pre", offset: 0, length: 5, language: "ts" },
    ]);
    expect(shown(parseHtml('<span class="tg-spoiler">x</span><blockquote expandable>y</blockquote><CODE>z</CODE>')).entities).toEqual([
      "spoiler(x)",
      "expandable_blockquote(y)",
      "code(z)",
    ]);
  });

  test.each([
    ["<x>y</x>", 'Unsupported start tag "x" at byte offset 0'],
    ["ä <b", "Unclosed start tag at byte offset 3"],
    ["<b>x", 'Can\'t find end tag corresponding to start tag "b"'],
    ["x</b>", "Unexpected end tag at byte offset 1"],
    ["<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'],
    ["<b>x</b", "Unclosed end tag at byte offset 4"],
    ["<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
    ['<a href="x', "Unclosed start tag at byte offset 0"],
    ["1 < 2 > 0", 'Unsupported start tag "" at byte offset 2'],
  ])("%s is refused", (source, message) => {
    expect(refusal(() => parseHtml(source))).toBe(message);
  });
});

describe("MarkdownV2", () => {
  test("marks nest, and escaped characters are themselves", () => {
    expect(shown(parseMarkdownV2("*bold _both ~all~_* __under__ ||no|| [x\\.y](https://example.com/\\)) 1\\.5"))).toEqual({
      text: "bold both all under no x.y 1.5",
      entities: ["bold(bold both all)", "italic(both all)", "strikethrough(all)", "underline(under)", "spoiler(no)", "text_link(x.y)"],
    });
    expect(parseMarkdownV2("```ts\nlet a = 1;\n```").entities).toEqual([{ type: "pre", offset: 0, length: 11, language: "ts" }]);
    expect(shown(parseMarkdownV2("`a.b` c\n>quoted\n>too\nnot"))).toEqual({
      text: "a.b c\nquoted\ntoo\nnot",
      entities: ["code(a.b)", "blockquote(quoted\ntoo)"],
    });
  });

  test.each([
    ["Hi.", "Character '.' is reserved and must be escaped with the preceding '\\'"],
    ["a | b", "Character '|' is reserved and must be escaped with the preceding '\\'"],
    ["a > b", "Character '>' is reserved and must be escaped with the preceding '\\'"],
    ["ä *x", "Can't find end of Bold entity at byte offset 3"],
    ["_x*y_*", "Can't find end of Bold entity at byte offset 5"],
    ["`x", "Can't find end of Code entity at byte offset 0"],
    ["```ts\nx", "Can't find end of PreCode entity at byte offset 0"],
    ["[x](y", "Can't find end of a URL at byte offset 4"],
  ])("%s is refused", (source, message) => {
    expect(refusal(() => parseMarkdownV2(source))).toBe(message);
  });
});

test("the old Markdown nests nothing and wants every mark closed", () => {
  expect(shown(parseMarkdown("*bold* _it_ `c` [x](https://example.com) a\\_b. (really)"))).toEqual({
    text: "bold it c x a_b. (really)",
    entities: ["bold(bold)", "italic(it)", "code(c)", "text_link(x)"],
  });
  expect(refusal(() => parseMarkdown("snake_case"))).toBe("Can't find end of the entity starting at byte offset 5");
});
