import type { Entity } from "#test/support/bot-api/model.ts";
import { byteOffset, type Marked, MarkupError, ordered } from "./markup.ts";

const MARKS: readonly [string, string, string][] = [
  ["```", "```", "pre"],
  ["`", "`", "code"],
  ["_", "_", "italic"],
  ["*", "*", "bold"],
];

/** https://core.telegram.org/bots/api#markdown-style, which nests nothing. @throws MarkupError in the words of TDLib's `parse_markdown` */
export function parseMarkdown(source: string): Marked {
  const entities: Entity[] = [];
  let text = "";
  let at = 0;
  while (at < source.length) {
    const offset = text.length;
    const rest = source.slice(at);
    const [, shown, url] = /^\[([^\]]*)\]\(([^)]*)\)/.exec(rest) ?? [];
    const [begin, end, type] = MARKS.find(([mark]) => rest.startsWith(mark)) ?? [];
    if (/^\\[_*`[]/.test(rest)) {
      text += rest.charAt(1);
      at += 2;
    } else if (shown !== undefined && url !== undefined) {
      text += shown;
      at += shown.length + url.length + 4;
      if (URL.canParse(url)) entities.push({ type: "text_link", offset, length: shown.length, url: new URL(url).href });
    } else if (begin !== undefined && end !== undefined && type !== undefined) {
      const length = rest.slice(begin.length).indexOf(end);
      if (length < 0) throw new MarkupError(`Can't find end of the entity starting at byte offset ${byteOffset(source, at)}`);
      text += rest.slice(begin.length, begin.length + length);
      entities.push({ type, offset, length });
      at += begin.length + length + end.length;
    } else {
      text += rest.charAt(0);
      at++;
    }
  }
  return { text, entities: ordered(entities) };
}
