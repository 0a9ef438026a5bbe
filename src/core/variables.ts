import { escapeMarkup, type Markup } from "./markup.ts";

/** `{name}`, `{name|fallback}`, or `\{`, which is a brace: https://core.telegram.org/bots/api has no such thing; the syntax is ours. */
const pattern = /\\\{|\{([A-Za-z_][A-Za-z0-9_]{0,63})(?:\|([^{}]*))?\}/g;
/** In MarkdownV2 a backslash is for any character that follows, and stays: it is Telegram's own. */
const inMarkdown = /\\[\s\S]|\{([A-Za-z_][A-Za-z0-9_]{0,63})(?:\|([^{}]*))?\}/g;

/** Nobody's name: what stands behind its bar is always taken, which is how a text says a backslash in front of a variable. */
export const NOBODY = "_";

/** A variable of a text, as far as it is written there. */
export interface Variable {
  name: string;
  fallback: string | undefined;
  /** With its braces. */
  written: string;
}

/**
 * Fills the variables of a text in.
 * @param valueOf gives a name's value; without one the fallback is taken
 * @param onMissing is told the names that have neither, which stay as they are written
 * @param markup of the text: values and fallbacks are escaped for it
 */
export function fillVariables(
  text: string,
  valueOf: (name: string) => string | undefined,
  onMissing: (name: string) => void,
  markup: Markup | null = null,
): string {
  return text.replace(patternOf(markup), (written: string, name: string | undefined, fallback: string | undefined) => {
    if (name === undefined) return markup === "MarkdownV2" ? written : "{";
    const value = (name === NOBODY ? undefined : valueOf(name)) ?? fallback;
    if (value === undefined) onMissing(name);
    return value === undefined ? written : markup === null ? value : escapeMarkup(value, markup);
  });
}

/** The text with digits in the place of each variable, just as long: for looking at what stands around them. */
export function maskVariables(text: string, markup: Markup): string {
  return text.replace(patternOf(markup), (written: string, name: string | undefined) =>
    name === undefined ? written : "1".padStart(written.length, "0"),
  );
}

const patternOf = (markup: Markup | null) => (markup === "MarkdownV2" ? inMarkdown : pattern);

/** The parts of a text in order: characters that stand for themselves, and variables. */
export function* partsOf(text: string, markup: Markup | null = null): Generator<string | Variable> {
  let end = 0;
  for (const { 0: written, 1: name, 2: fallback, index } of text.matchAll(patternOf(markup))) {
    if (index > end) yield text.slice(end, index);
    yield name === undefined ? written.slice(1) : { name, fallback, written };
    end = index + written.length;
  }
  if (end < text.length) yield text.slice(end);
}

/** Names of a text that have no fallback and are not among these, each once. */
export function lackingNames(text: string, markup: Markup | null, known: ReadonlySet<string>): string[] {
  const names = new Set<string>();
  for (const part of partsOf(text, markup))
    if (typeof part !== "string" && part.fallback === undefined && !known.has(part.name)) names.add(part.name);
  return [...names];
}

/** Writes a text whose variables will be filled in later: what is added as plain comes out as it is, whatever stands around it. */
export function createTextWriter(markup: Markup | null = null) {
  let text = "";
  const addBody = (own: string) => (text += own.replaceAll("{", "\\{"));
  return {
    get text(): string {
      return text;
    },
    addPlain(plain: string): void {
      // What is escaped for MarkdownV2 has no brace without a backslash.
      if (markup === "MarkdownV2") text += escapeMarkup(plain, markup);
      else addBody(markup === null ? plain : escapeMarkup(plain, markup));
    },
    /** Characters of the author's own, in which there are no variables: the markup is theirs. */
    addBody,
    /** @param written as `Variable.written` */
    addVariable(written: string): void {
      if (markup === "MarkdownV2") {
        text += written;
        return;
      }
      // A backslash that ends what stands before would make a brace of this one.
      const plainEnd = text.length - backslashesAtEnd(text);
      const backslashes = text.slice(plainEnd);
      text = backslashes === "" ? text + written : `${text.slice(0, plainEnd)}{${NOBODY}|${backslashes}}${written}`;
    },
  };
}

function backslashesAtEnd(text: string): number {
  let count = 0;
  while (text[text.length - 1 - count] === "\\") count++;
  return count;
}
