import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { escapeMarkup, type Markup } from "#src/core/markup.ts";
import { readMarkup, readUnresolved } from "#src/modules/messages/markup.ts";

const modes: Markup[] = ["HTML", "MarkdownV2"];

/** A text with markup that is right, and what is left of it. */
const marked: Record<Markup, fc.Arbitrary<[written: string, text: string]>> = {
  HTML: fc.letrec<{ node: [string, string] }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      plainIn("HTML"),
      fc.tuple(tie("node"), tie("node")).map(([[a, b], [c, d]]): [string, string] => [a + c, b + d]),
      fc
        .tuple(
          fc.constantFrom(
            "b",
            "i",
            "u",
            "s",
            "code",
            "pre",
            "tg-spoiler",
            "blockquote",
            'a href="https://x.org/?a=1&amp;b"',
            "blockquote expandable",
            'span class="tg-spoiler"',
            "tg-emoji emoji-id='1'",
          ),
          tie("node"),
        )
        .map(([tag, [written, text]]): [string, string] => [`<${tag}>${written}</${tag.split(" ")[0]}>`, text]),
    ),
  })).node,
  MarkdownV2: fc
    .array(
      fc.oneof(
        plainIn("MarkdownV2"),
        fc
          .tuple(fc.constantFrom("*", "_", "__", "~", "||", "`", "```\n"), plainIn("MarkdownV2"))
          .filter(([, [, text]]) => /^[^\r\n]/.test(text))
          .map(([sign, [written, text]]): [string, string] => [`${sign}${written}${sign.trim()}`, text]),
        plainIn("MarkdownV2").map(([written, text]): [string, string] => [`[${written}](https://x.org/\\))`, text]),
      ),
      // Two signs of one kind beside each other are another sign.
    )
    .map((parts): [string, string] => [parts.map(([written]) => written).join(" "), parts.map(([, text]) => text).join(" ")]),
};

function plainIn(mode: Markup): fc.Arbitrary<[string, string]> {
  return fc
    .string({ unit: "grapheme", maxLength: 12 })
    .filter((text) => !text.includes("\0"))
    .map((text) => [escapeMarkup(text, mode), text]);
}

describe.each(modes)("in %s", (mode) => {
  test("what is escaped comes out as it went in, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(readMarkup(escapeMarkup(text.toWellFormed(), mode), mode)).toEqual({ text: text.toWellFormed() });
      }),
    );
  });

  test("markup that is right is taken, and leaves the text", () => {
    fc.assert(
      fc.property(marked[mode], ([written, text]) => {
        expect(readMarkup(written, mode)).toEqual({ text });
      }),
    );
  });

  test("any text at all is read or refused in words, in no time", () => {
    const pieces = fc.constantFrom(
      ...Array.from("_*[]()~`>#+-=|{}.!\\\n<>&;\"'/ ab1"),
      "<b>",
      "</b>",
      "<a href=",
      "```",
      "||",
      "![",
      "](",
      "&lt;",
      "&#x",
      "tg://emoji?id=1",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        const read = readMarkup(parts.join(""), mode);
        if ("fault" in read) expect(read.fault).toMatch(/^[A-Z].* \(character \d+\)\.$/s);
      }),
      { numRuns: 2_000 },
    );
    const started = performance.now();
    for (const piece of ["<b ", "<b>", "&#", "*", "_ ", "[", "```", ">", "<a b='"]) readMarkup(piece.repeat(8_192 / piece.length), mode);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test("values can't break the markup around them", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom("{x}", "{x|y}"), (value, variable) => {
        const [begin, end] = mode === "HTML" ? ["<b>", "</b>"] : ["*", "*"];
        expect("text" in readUnresolved(`${begin}${variable}${end}`, mode)).toBe(true);
        expect(readMarkup(`${begin}${escapeMarkup(value.toWellFormed(), mode)}${end}`, mode)).toEqual({ text: value.toWellFormed() });
      }),
    );
  });
});

test.each(['"', "'"])("a value can't end the address of an HTML link that stands between %s", (quote) => {
  const value = escapeMarkup(`O"Brien's`, "HTML");
  expect(readMarkup(`<a href=${quote}https://x.org/?name=${value}${quote}>you</a>`, "HTML")).toEqual({ text: "you" });
});

const examples: [Markup, string, string][] = [
  ["HTML", '<b>bold <i>and <s>struck <span class="tg-spoiler">out</span></s></i></b>', "bold and struck out"],
  ["HTML", '<pre><code class="language-python">a &lt; b</code></pre>', "a < b"],
  ["HTML", "<B>upper</b> &lt;&gt;&amp;&quot;&#33;&#x21; &nbsp; a & b > c", 'upper <>&"!! &nbsp; a & b > c'],
  ["HTML", '<tg-time unix="1647531900" format="wDT">tomorrow</tg-time> <blockquote expandable>x</blockquote>', "tomorrow x"],
  ["HTML", "<a>no address</a></>".replace("</>", ""), "no address"],
  ["MarkdownV2", "*bold _italic ~struck ||spoiler||~ __underline italic___ bold*", "bold italic struck spoiler underline italic bold"],
  ["MarkdownV2", "```python\nprint(1)\n```", "print(1)\n"],
  ["MarkdownV2", "`a.b!` \\`x\\` ```a.b```", "a.b! `x` a.b"],
  ["MarkdownV2", "[text](tg://user?id=1) ![👍](tg://emoji?id=5368324170671202286)", "text 👍"],
  ["MarkdownV2", ">one\n>two\n**>three\n>four||\nafter", "one\ntwo\nthree\nfour\nafter"],
];

test.each(examples)("%s: %s is read as Telegram reads it", (mode, written, text) => {
  expect(readMarkup(written, mode)).toEqual({ text });
});

const faults: [Markup, string, string][] = [
  ["HTML", "1 < 2", "Telegram knows no tag <>; a < of the text itself is written &lt; (character 3)."],
  ["HTML", "🙂<b>x", "The tag <b> is never closed (character 2)."],
  ["HTML", "<b><i>x</b></i>", "The tag <i> is open where </b> stands (character 8)."],
  ["HTML", "x</b>", "An end tag closes nothing (character 2)."],
  ["HTML", "<p>x</p>", "Telegram knows no tag <p>; a < of the text itself is written &lt; (character 1)."],
  ["HTML", '<span class="x">x</span>', 'A <span> must have class="tg-spoiler" (character 1).'],
  ["HTML", '<a href="x', "A tag lacks its >; a < of the text itself is written &lt; (character 1)."],
  ["HTML", "<tg-emoji>x</tg-emoji>", "A <tg-emoji> needs the number of an emoji as its emoji-id (character 1)."],
  ["MarkdownV2", "Hello.", "A . of the text itself needs a backslash in front of it (character 6)."],
  ["MarkdownV2", "{first_name} - you", "A - of the text itself needs a backslash in front of it (character 14)."],
  ["MarkdownV2", "{first_name|a friend} - you", "A - of the text itself needs a backslash in front of it (character 23)."],
  ["MarkdownV2", "*x", "The end of bold text is missing (character 1)."],
  ["MarkdownV2", "[x](y", "The ) of a link is missing (character 4)."],
  ["MarkdownV2", "a > b", "A > of the text itself needs a backslash in front of it (character 3)."],
];

test.each(faults)("%s: %s is refused in words that say what is wrong, and where", (mode, written, fault) => {
  expect(readUnresolved(written, mode)).toEqual({ fault });
});
