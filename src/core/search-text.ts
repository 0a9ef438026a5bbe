/** Of one text; what is longer is found by its beginning. */
const TOKEN_LENGTH_MAX = 40;
/** Of one thing. */
const TOKENS_MAX = 64;

/** Letters of scripts that put no space between words: each stands for itself. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const word = /[\p{L}\p{N}_]+|\p{Extended_Pictographic}|\p{Regional_Indicator}{2}/gu;

/**
 * A text without case, accents and the other marks that people leave out when they search: `Ёлкин` is `елкин`, `José` is `jose`.
 * https://www.unicode.org/reports/tr15/ (compatibility decomposition), https://www.unicode.org/reports/tr44/#General_Category_Values
 */
export function foldText(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}|\u0640/gu, "")
    .toLowerCase()
    .replace(/ß/g, "ss")
    .replace(/ı/g, "i")
    .normalize("NFC");
}

/** Without white space around it, and with single spaces within: as names and tags are kept. */
export function tidyText(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}

/** A telephone number, or a part of one, without what groups its digits. */
export function plainPhone(text: string): string {
  return text.replaceAll(/[\s().-]/g, "");
}

/** The beginning of a text, of at most so many UTF-16 units, without half a character at its end. */
export function cutText(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
}

/** The words of a text by which it is found, folded, each once. Emoji are words too. */
export function wordsOf(text: string): string[] {
  const words = new Set<string>();
  for (const [found] of foldText(text).matchAll(word)) for (const part of splitUnspaced(found)) words.add(cutText(part, TOKEN_LENGTH_MAX));
  return [...words].slice(0, TOKENS_MAX);
}

function splitUnspaced(found: string): string[] {
  if (!unspaced.test(found)) return [found];
  const parts: string[] = [];
  let rest = "";
  for (const letter of found) {
    if (!unspaced.test(letter)) rest += letter;
    else {
      if (rest !== "") parts.push(rest);
      rest = "";
      parts.push(letter);
    }
  }
  if (rest !== "") parts.push(rest);
  return parts;
}
