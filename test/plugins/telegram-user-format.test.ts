import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { format } from "#plugins/telegram-user/formatted.ts";

const bobsId = 42;
const read = (text: string, mode: "HTML" | "MarkdownV2") =>
  format(text, mode, async (id) => (id === bobsId ? { _: "inputUserSelf" } : null));

/** In few letters: `Bold 0+3`. */
async function brief(text: string, mode: "HTML" | "MarkdownV2"): Promise<[string, ...string[]]> {
  const { message, entities } = await read(text, mode);
  const told = entities.map(({ _: name, offset, length, ...rest }) => {
    const more = Object.values(rest).map(String).join(",");
    return `${name.replace(/^(inputM|m)essageEntity/, "")} ${offset}+${length}${more === "" ? "" : ` ${more}`}`;
  });
  return [message, ...told];
}

describe("HTML means what it means to the Bot API", () => {
  test.each<[string, string, ...string[]]>([
    ["a <b>b</b> c", "a b c", "Bold 2+1"],
    ["<strong>a</strong><em>b</em><ins>c</ins><del>d</del>", "abcd", "Bold 0+1", "Italic 1+1", "Underline 2+1", "Strike 3+1"],
    ["<b>a <i>b</i></b>", "a b", "Bold 0+3", "Italic 2+1"],
    ['<tg-spoiler>a</tg-spoiler><span class="tg-spoiler">b</span>', "ab", "Spoiler 0+1", "Spoiler 1+1"],
    ['<a href="https://a.example/?a=1&amp;b=2">x</a>', "x", "TextUrl 0+1 https://a.example/?a=1&b=2"],
    ['<a data_1="x" href="https://a.example/">x</a>', "x", "TextUrl 0+1 https://a.example/"],
    ['<a href="tg://user?id=42">Bob</a>', "Bob", "MentionName 0+3 [object Object]"],
    ['<a href="tg://user?id=43">Nobody</a>', "Nobody"],
    ["<code>a &lt; b</code>", "a < b", "Code 0+5"],
    ["<pre>a\nb</pre>", "a\nb", "Pre 0+3"],
    ['<pre><code class="language-ts">a</code></pre>', "a", "Pre 0+1 ts"],
    ["<blockquote>a</blockquote><blockquote expandable>b</blockquote>", "ab", "Blockquote 0+1", "Blockquote 1+1 true"],
    ['<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>', "👍", "CustomEmoji 0+2 5368324170671202286"],
    ["  <b> a </b>  ", "a", "Bold 0+1"],
    ["&#128512; &amp; &quot;&nbsp;", '😀 & "&nbsp;'],
  ])("%p", async (written, ...expected) => {
    expect(await brief(written, "HTML")).toEqual(expected);
  });

  test.each(["<b>", "</b>", "a < b", "<b><i></b></i>", "<blink>a</blink>"])("%p is refused", (written) => {
    expect(read(written, "HTML")).rejects.toThrow();
  });
});

describe("MarkdownV2 means what it means to the Bot API", () => {
  test.each<[string, string, ...string[]]>([
    ["a *b* c", "a b c", "Bold 2+1"],
    ["_a_ __b__ ~c~ ||d||", "a b c d", "Italic 0+1", "Underline 2+1", "Strike 4+1", "Spoiler 6+1"],
    ["*a _b_*", "a b", "Bold 0+3", "Italic 2+1"],
    ["*a __b__*", "a b", "Bold 0+3", "Underline 2+1"],
    ["[x](https://a.example/\\))", "x", "TextUrl 0+1 https://a.example/)"],
    ["[Bob](tg://user?id=42)", "Bob", "MentionName 0+3 [object Object]"],
    ["`a*b`", "a*b", "Code 0+3"],
    ["```ts\na\n```", "a", "Pre 0+1 ts"],
    ["```\na```", "a", "Pre 0+1"],
    [">a\n>b\nc", "a\nb\nc", "Blockquote 0+3"],
    [">a\n>b||", "a\nb", "Blockquote 0+3 true"],
    ["![👍](tg://emoji?id=5368324170671202286)", "👍", "CustomEmoji 0+2 5368324170671202286"],
    ["1\\. a\\!", "1. a!"],
  ])("%p", async (written, ...expected) => {
    expect(await brief(written, "MarkdownV2")).toEqual(expected);
  });

  test.each(["*a", "a.", "[a](b", "a > b", "`a"])("%p is refused", (written) => {
    expect(read(written, "MarkdownV2")).rejects.toThrow();
  });
});

test("what is escaped stands for itself, and no entity reaches beyond the text", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), fc.constantFrom("HTML" as const, "MarkdownV2" as const), async (plain, mode) => {
      const escaped =
        mode === "HTML" ? plain.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`) : plain.replace(/[!-~]/g, String.raw`\$&`);
      const [open, close] = mode === "HTML" ? ["<b>", "</b>"] : ["*", "*"];
      const { message, entities } = await read(`${open}${escaped}${close}`, mode);
      expect(message).toBe(plain.trim());
      for (const { offset, length } of entities) expect([offset, length]).toEqual([0, message.length]);
    }),
  );
});
