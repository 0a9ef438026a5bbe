import type { Entity } from "#test/support/bot-api/model.ts";
import { byteOffset, type Marked, MarkupError, ordered } from "./markup.ts";

interface Tag {
  name: string;
  attributes: Map<string, string>;
  /** In the text without markup. */
  offset: number;
}

const TYPES: Record<string, string> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  u: "underline",
  ins: "underline",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  span: "spoiler",
  "tg-spoiler": "spoiler",
  "tg-emoji": "custom_emoji",
  a: "text_link",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
};
const REFERENCES: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"' };

/** https://core.telegram.org/bots/api#html-style @throws MarkupError in the words of TDLib's `parse_html` */
export function parseHtml(source: string): Marked {
  const open: Tag[] = [];
  const entities: Entity[] = [];
  let text = "";
  for (let at = 0; at < source.length;) {
    const next = source.indexOf("<", at);
    text += decoded(source.slice(at, next < 0 ? source.length : next));
    if (next < 0) break;
    if (source[next + 1] === "/") at = close(next);
    else at = begin(next);
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) throw new MarkupError(`Can't find end tag corresponding to start tag "${unclosed.name}"`);
  return { text, entities: ordered(entities) };

  /** @returns the index behind the tag */
  function begin(start: number): number {
    const offset = byteOffset(source, start);
    const name = /[^\s>]*/y.exec(source.slice(start + 1))?.[0].toLowerCase() ?? "";
    let at = start + 1 + name.length;
    if (at >= source.length) throw new MarkupError(`Unclosed start tag at byte offset ${offset}`);
    if (!Object.hasOwn(TYPES, name)) throw new MarkupError(`Unsupported start tag "${name}" at byte offset ${offset}`);
    const attributes = new Map<string, string>();
    for (;;) {
      at += /^\s*/.exec(source.slice(at))?.[0].length ?? 0;
      if (at >= source.length) throw new MarkupError(`Unclosed start tag "${name}" at byte offset ${offset}`);
      if (source[at] === ">") break;
      const [whole, key, doubled, single, bare] =
        /^([^\s=>]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([\w.-]*)(?=[\s>])))?/.exec(source.slice(at)) ?? [];
      if (key === undefined || key === "") throw new MarkupError(`Empty attribute name in the tag "${name}" at byte offset ${offset}`);
      at += whole?.length ?? 0;
      if (/^\s*=/.test(source.slice(at))) {
        const isQuoted = /^\s*=\s*["']/.test(source.slice(at));
        throw new MarkupError(
          isQuoted
            ? `Unclosed start tag at byte offset ${offset}`
            : `Unexpected end of name token at byte offset ${byteOffset(source, at) + 1}`,
        );
      }
      attributes.set(key.toLowerCase(), decoded(doubled ?? single ?? bare?.toLowerCase() ?? ""));
    }
    if (name === "span" && attributes.get("class") !== "tg-spoiler") {
      throw new MarkupError(`Tag "span" must have class "tg-spoiler" at byte offset ${offset}`);
    }
    open.push({ name, attributes, offset: text.length });
    return at + 1;
  }

  /** @returns the index behind the tag */
  function close(start: number): number {
    const offset = byteOffset(source, start);
    const tag = open.pop();
    if (tag === undefined) throw new MarkupError(`Unexpected end tag at byte offset ${offset}`);
    const [whole = "", name = ""] = /^<\/([^\s>]*)\s*>/.exec(source.slice(start)) ?? [];
    if (whole === "") throw new MarkupError(`Unclosed end tag at byte offset ${offset}`);
    if (name !== "" && name.toLowerCase() !== tag.name) {
      throw new MarkupError(`Unmatched end tag at byte offset ${offset}, expected "</${tag.name}>", found "</${name}>"`);
    }
    const entity = entityOf(tag, text);
    const inner = entities.at(-1);
    // <pre><code class="language-x"> is one entity.
    if (entity?.type === "pre" && inner?.type === "code" && inner.offset === entity.offset && inner.length === entity.length)
      entities.pop();
    if (entity !== null)
      entities.push(inner?.language !== undefined && entity.type === "pre" ? { ...entity, language: inner.language } : entity);
    for (const known of entities) if (known.type === "code" && open.length === 0) delete known.language;
    return start + whole.length;
  }
}

function entityOf({ name, attributes, offset }: Tag, text: string): Entity | null {
  const entity = { type: TYPES[name] ?? "", offset, length: text.length - offset };
  switch (name) {
    case "a": {
      const url = attributes.get("href") ?? text.slice(offset);
      // A link that leads nowhere is left out without a word.
      return URL.canParse(url) || /^[\w-]+(\.[\w-]+)+/.test(url) ? { ...entity, url: URL.parse(url)?.href ?? `http://${url}/` } : null;
    }
    case "code": {
      const language = /^language-(.+)/.exec(attributes.get("class") ?? "")?.[1];
      return { ...entity, ...(language === undefined ? {} : { language }) };
    }
    case "tg-emoji":
      return { ...entity, custom_emoji_id: attributes.get("emoji-id") ?? "" };
    case "blockquote":
      return { ...entity, type: attributes.has("expandable") ? "expandable_blockquote" : "blockquote" };
    default:
      return entity;
  }
}

/** Of the named references only four are known; others stay as they are. */
function decoded(source: string): string {
  return source.replaceAll(/&(?:#x([\da-f]+)|#(\d+)|(\w+));?/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return REFERENCES[name] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code < 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
