import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { replaceLinks } from "#src/core/links.ts";
import { escapeMarkup } from "#src/core/markup.ts";
import { readHtml } from "#src/core/markup-html.ts";
import { readMarkdown } from "#src/core/markup-markdown.ts";

const short = () => "https://p.example/l/1";

describe("links of a text", () => {
  test.each([
    ["See https://a.example/x?y=1&z=2.", "See https://p.example/l/1."],
    ["(https://a.example) and HTTP://B.example/!", "(https://p.example/l/1) and https://p.example/l/1!"],
    [
      "ftp://a.example, a.example, https:// and mailto:a@b.example stay",
      "ftp://a.example, a.example, https:// and mailto:a@b.example stay",
    ],
  ])("are replaced where they are written out: %s", (text, expected) => {
    expect(replaceLinks(text, null, short)).toBe(expected);
  });

  test.each([
    ['<a href="https://a.example/?b=1&amp;c=2">https://a.example</a>', '<a href="https://p.example/l/1">https://a.example</a>'],
    ["<b>now</b>: https://a.example/?b=1&amp;c=2, or", "<b>now</b>: https://p.example/l/1, or"],
    ["<code>https://a.example</code><pre>https://b.example</pre>", "<code>https://a.example</code><pre>https://b.example</pre>"],
    ["<a href='tg://user?id=1'>x</a>", "<a href='tg://user?id=1'>x</a>"],
  ])("are replaced in HTML: %s", (text, expected) => {
    expect(replaceLinks(text, "HTML", short)).toBe(expected);
  });

  test.each([
    [String.raw`[Shop](https://a.example/(b\))\!`, String.raw`[Shop](https://p.example/l/1)\!`],
    [String.raw`*now* https://a\.example/x\-y\.`, String.raw`*now* https://p\.example/l/1\.`],
    ["`https://a.example` ```\nhttps://b.example```", "`https://a.example` ```\nhttps://b.example```"],
  ])("are replaced in MarkdownV2: %s", (text, expected) => {
    expect(replaceLinks(text, "MarkdownV2", short)).toBe(expected);
  });

  test.each([
    ["https://a.example/{first_name|my friend}. https://a.example/{city}!", null],
    [String.raw`https://a.example/?q=\{x`, null],
    [String.raw`<b>x</b> https://a.example/?q=\{x https://a.example/{city}`, "HTML" as const],
    [String.raw`https://a\.example/{first_name|my friend}\. [x](https://a.example/{city})`, "MarkdownV2" as const],
    [String.raw`https://a\.example/?q\=\{x`, "MarkdownV2" as const],
  ])("that have a variable or a brace in them are given whole: %s", (text, markup) => {
    const replaced = replaceLinks(text, markup, (address) => (/[{}]/.test(address) ? address : "https://p.example"));
    expect(replaced).toBe(text);
  });

  const word = fc.oneof(fc.string(), fc.constantFrom("https://a.example/x", "https://a.example/?b=1&c=(2)", "<", "`", "\\", " ", "\n"));
  const words = fc.array(word, { maxLength: 8 }).map((some) => some.join(" "));

  test("leave a text as it is where each is replaced by itself, whatever it is", () => {
    fc.assert(
      fc.property(words, fc.constantFrom(null, "HTML" as const, "MarkdownV2" as const), (text, markup) => {
        expect(replaceLinks(text, markup, (address) => address)).toBe(text);
      }),
    );
  });

  test("are the same with markup as without it, and the text is still one", () => {
    fc.assert(
      fc.property(words, (text) => {
        const seen = (markup: "HTML" | "MarkdownV2") => {
          const found: string[] = [];
          const replaced = replaceLinks(escapeMarkup(text, markup), markup, (address) => {
            found.push(address);
            return `https://p.example/${found.length}?a=1&b=(2)`;
          });
          return [found, (markup === "HTML" ? readHtml : readMarkdown)(replaced).text];
        };
        expect(seen("HTML")).toEqual(seen("MarkdownV2"));
      }),
    );
  });
});
