import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cutText, foldText, wordsOf } from "#src/core/search-text.ts";

describe("words", () => {
  test.each([
    ["Ёлкин Фёдор", ["елкин", "федор"]],
    ["José ÁLVAREZ", ["jose", "alvarez"]],
    ["Weiß", ["weiss"]],
    ["مُحَمَّد أحمد", ["محمد", "احمد"]],
    ["王小明", ["王", "小", "明"]],
    ["さくら", ["さ", "く", "ら"]],
    ["김민준", ["김민준"]],
    ["Zoe\u0308 🦊", ["zoe", "🦊"]],
    ["İstanbul ısı", ["istanbul", "isi"]],
    ["sarah_miller", ["sarah_miller"]],
    ["sarah@example.com", ["sarah", "example", "com"]],
    ["  -- ", []],
  ])("of %p are folded", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  test("are the same however the text is composed, cased or spaced", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(wordsOf(text.normalize("NFD"))).toEqual(wordsOf(text.normalize("NFC")));
        expect(wordsOf(` ${text}  `)).toEqual(wordsOf(text));
        expect(wordsOf(wordsOf(text).join(" "))).toEqual(wordsOf(text));
      }),
    );
  });

  test("hold nothing that a search index would take for more than letters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const found of wordsOf(text)) {
          expect(found).not.toMatch(/[\s"'*():&|!\\<>]/);
          expect(found.isWellFormed()).toBeTrue();
        }
      }),
    );
  });
});

test("a folded text folds to itself", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => expect(foldText(foldText(text))).toBe(foldText(text))));
});

test("a cut text is well formed and a beginning", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, length) => {
      expect(cutText(text, length).isWellFormed()).toBeTrue();
      expect(text.startsWith(cutText(text, length))).toBeTrue();
    }),
  );
});
