import { dateOf, emojiOf, linkOf, type Marked, MarkupError, type Style, type Styled } from "./style.ts";

interface Open {
  tag: string;
  offset: number;
  attributes: ReadonlyMap<string, string>;
}

const STYLES: Readonly<Record<string, Style>> = {
  b: { _: "messageEntityBold" },
  strong: { _: "messageEntityBold" },
  i: { _: "messageEntityItalic" },
  em: { _: "messageEntityItalic" },
  u: { _: "messageEntityUnderline" },
  ins: { _: "messageEntityUnderline" },
  s: { _: "messageEntityStrike" },
  strike: { _: "messageEntityStrike" },
  del: { _: "messageEntityStrike" },
  span: { _: "messageEntitySpoiler" },
  "tg-spoiler": { _: "messageEntitySpoiler" },
};
const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' };

const TOKEN = /<(\/?)([a-z-]*)((?:\s+[a-z-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[a-z0-9.-]+))?)*)\s*>/iy;
const ATTRIBUTE = /([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([a-z0-9.-]+)))?/gi;
const REFERENCE = /&(?:#x([0-9a-f]{1,9})|#(\d{1,9})|([a-z]+));?/gi;

/** https://core.telegram.org/bots/api#html-style */
export function readHtml(html: string): Marked {
  const open: Open[] = [];
  const styled: Styled[] = [];
  let text = "";
  let at = 0;
  while (at < html.length) {
    const next = html.indexOf("<", at);
    const end = next === -1 ? html.length : next;
    text += decode(html.slice(at, end));
    if (next === -1) break;
    TOKEN.lastIndex = next;
    const [token, slash, name = "", written = ""] = TOKEN.exec(html) ?? [];
    if (token === undefined) throw new MarkupError("A < of the text itself is written &lt;");
    at = next + token.length;
    if (slash === "") open.push({ tag: name.toLowerCase(), offset: text.length, attributes: attributesOf(written) });
    else close(name.toLowerCase());
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) throw new MarkupError(`The tag <${unclosed.tag}> is never closed`);
  return { text, styled };

  function close(name: string): void {
    const last = open.pop();
    if (last === undefined || (name !== "" && name !== last.tag)) throw new MarkupError("An end tag closes nothing");
    const { offset } = last;
    const length = text.length - offset;
    if (length === 0) return;
    const style = styleOf(last, text.slice(offset));
    if (last.tag === "code" && isLanguage(last)) return;
    if (style !== null) styled.push({ offset, length, style });
  }

  /** `<pre><code class="language-x">` is one block: its language is told by the inner tag. */
  function isLanguage({ offset, attributes }: Open): boolean {
    const pre = open.at(-1);
    const language = languageOf(attributes);
    if (pre?.tag !== "pre" || pre.offset !== offset || language === null) return false;
    pre.attributes = new Map([["class", `language-${language}`]]);
    return true;
  }
}

function styleOf({ tag, attributes }: Open, inner: string): Style | null {
  switch (tag) {
    case "a":
      return linkOf(attributes.get("href") ?? inner);
    case "code":
      return { _: "messageEntityCode" };
    case "pre":
      return { _: "messageEntityPre", language: languageOf(attributes) ?? "" };
    case "blockquote":
      return attributes.has("expandable") ? { _: "messageEntityBlockquote", collapsed: true } : { _: "messageEntityBlockquote" };
    case "tg-emoji":
      return emojiOf(attributes.get("emoji-id") ?? "0");
    case "tg-time":
      return dateOf(attributes.get("unix") ?? "0", attributes.get("format") ?? "");
    default: {
      const style = STYLES[tag];
      if (style === undefined) throw new MarkupError(`Telegram knows no tag <${tag}>`);
      return style;
    }
  }
}

function languageOf(attributes: ReadonlyMap<string, string>): string | null {
  const name = attributes.get("class");
  return name?.startsWith("language-") === true ? name.slice("language-".length) : null;
}

function attributesOf(written: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single, bare] of written.matchAll(ATTRIBUTE)) {
    attributes.set(name.toLowerCase(), decode(double ?? single ?? bare ?? ""));
  }
  return attributes;
}

function decode(text: string): string {
  return text.replace(REFERENCE, (written: string, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
    if (name !== undefined) return NAMED[name] ?? written;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code === 0 || code >= 0x10_ff_ff ? written : String.fromCodePoint(code).toWellFormed();
  });
}
