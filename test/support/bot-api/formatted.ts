import { badRequest } from "./failure.ts";
import { parseHtml } from "./markup/html.ts";
import { parseMarkdown } from "./markup/markdown.ts";
import { parseMarkdownV2 } from "./markup/markdown-v2.ts";
import { type Marked, MarkupError } from "./markup/markup.ts";
import type { Entity } from "./model.ts";
import type { Params } from "./params.ts";

/** A text as it came and as it is shown. */
export interface Formatted extends Marked {
  raw: string;
  parse_mode: string | null;
}

const PARSERS: Record<string, (source: string) => Marked> = { html: parseHtml, markdown: parseMarkdown, markdownv2: parseMarkdownV2 };

/** @throws BotApiFailure 400 when the markup is wrong, in Telegram's words */
export function formattedOf(params: Params, names: { text: string; entities: string }): Formatted {
  const raw = params.text(names.text) ?? "";
  const parse_mode = params.text("parse_mode") ?? null;
  if (parse_mode === null || parse_mode === "") {
    return { raw, parse_mode: null, text: raw, entities: (params.list(names.entities) ?? []) as Entity[] };
  }
  const parse = PARSERS[parse_mode.toLowerCase()];
  if (parse === undefined) throw badRequest("unsupported parse_mode");
  try {
    return { raw, parse_mode, ...parse(raw) };
  } catch (error) {
    if (error instanceof MarkupError) throw badRequest(`can't parse entities: ${error.message}`);
    throw error;
  }
}
