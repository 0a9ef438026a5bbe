import type { Markup } from "#src/core/markup.ts";
import { MarkupFault } from "#src/core/markup-fault.ts";
import { readHtml } from "#src/core/markup-html.ts";
import { readMarkdown } from "#src/core/markup-markdown.ts";
import { maskVariables } from "#src/core/variables.ts";

export type Read = { text: string } | { fault: string };

/**
 * What is left to read of a marked-up text, as Telegram itself takes it apart: its entities are not told, since nobody here needs them.
 * @returns the text without its markup, or what Telegram would refuse it for
 */
export function readMarkup(text: string, markup: Markup): Read {
  try {
    const { text: left } = markup === "HTML" ? readHtml(text) : readMarkdown(text);
    return { text: left };
  } catch (error) {
    if (!(error instanceof MarkupFault)) throw error;
    return { fault: error.in(text) };
  }
}

/** The same of a text whose variables are not filled in yet. Whatever they are filled with is escaped, and can break nothing. */
export function readUnresolved(text: string, markup: Markup): Read {
  return readMarkup(maskVariables(text, markup), markup);
}
