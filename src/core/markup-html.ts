import type { Marked, Style, Styled } from "./marked.ts";
import { isIdentifier, MarkupFault } from "./markup-fault.ts";

/** https://core.telegram.org/bots/api#html-style */
const SIMPLE: Readonly<Record<string, Style>> = {
  ...{ b: { kind: "bold" }, strong: { kind: "bold" }, i: { kind: "italic" }, em: { kind: "italic" } },
  ...{ u: { kind: "underline" }, ins: { kind: "underline" } },
  ...{ s: { kind: "strike" }, strike: { kind: "strike" }, del: { kind: "strike" } },
  ...{ span: { kind: "spoiler" }, "tg-spoiler": { kind: "spoiler" }, code: { kind: "code" } },
};
const TAGS = new Set([...Object.keys(SIMPLE), "a", "pre", "blockquote", "tg-emoji", "tg-time"]);
const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' };
const isSpace = (character: string) => /^[ \t\r\n\0\v]$/.test(character);

interface Open {
  tag: string;
  at: number;
  /** Where it begins in the text. */
  offset: number;
  attributes: ReadonlyMap<string, string>;
}

/**
 * Reads a text with the tags of Telegram's HTML, by the rules of its own parser:
 * https://github.com/tdlib/td/blob/master/td/telegram/MessageEntity.cpp (parse_html)
 * @throws MarkupFault
 */
export function readHtml(html: string): Marked {
  const open: Open[] = [];
  const styled: Styled[] = [];
  let text = "";
  let at = 0;
  while (at < html.length) {
    const character = html[at]!;
    if (character === "&") {
      const reference = readReference(html, at);
      text += reference?.text ?? "&";
      at = reference?.end ?? at + 1;
    } else if (character !== "<") {
      text += character;
      at++;
    } else if (html[at + 1] === "/") {
      const last = open.pop();
      at = readEnd(html, at, last);
      close(last!);
    } else {
      const { end, ...start } = readStart(html, at);
      open.push({ ...start, at, offset: text.length });
      at = end;
    }
  }
  const last = open.at(-1);
  if (last !== undefined) throw new MarkupFault(`The tag <${last.tag}> is never closed`, last.at);
  return { text, styled };

  function close(last: Open): void {
    const length = text.length - last.offset;
    if (length > 0 && !isLanguage(last)) styled.push({ offset: last.offset, length, style: styleOf(last, text.slice(last.offset)) });
  }

  /** `<pre><code class="language-x">` is one block: its language is told by the inner tag. */
  function isLanguage({ tag, offset, attributes }: Open): boolean {
    const outer = open.at(-1);
    if (tag !== "code" || outer?.tag !== "pre" || outer.offset !== offset || languageOf(attributes) === "") return false;
    outer.attributes = attributes;
    return true;
  }
}

function styleOf({ tag, attributes }: Open, inner: string): Style {
  switch (tag) {
    case "a":
      return { kind: "link", address: attributes.get("href") ?? inner };
    case "pre":
      return { kind: "pre", language: languageOf(attributes) };
    case "blockquote":
      return { kind: "quote", collapsed: attributes.has("expandable") };
    case "tg-emoji":
      return { kind: "emoji", id: attributes.get("emoji-id")! };
    case "tg-time":
      return { kind: "time", unix: attributes.get("unix")!, format: attributes.get("format") ?? "" };
    default:
      return SIMPLE[tag]!;
  }
}

function languageOf(attributes: ReadonlyMap<string, string>): string {
  const name = attributes.get("class") ?? "";
  return name.startsWith("language-") ? name.slice("language-".length) : "";
}

/** `&lt;`, `&#60;`, `&#x3c;`, also without their semicolon; null for what is no such thing and stands for itself. */
function readReference(html: string, at: number): { text: string; end: number } | null {
  const found = /^&(?:#x([0-9a-f]{1,9})|#(\d{1,9})|([a-z]+));?/i.exec(html.slice(at, at + 16));
  if (found === null) return null;
  const [written, hex, decimal, name] = found;
  const end = at + written.length;
  if (name !== undefined) return Object.hasOwn(NAMED, name) ? { text: NAMED[name]!, end } : null;
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return code === 0 || code >= 0x10_ff_ff ? null : { text: String.fromCodePoint(code).toWellFormed(), end };
}

/** @returns where the text goes on */
function readEnd(html: string, at: number, open: Open | undefined): number {
  if (open === undefined) throw new MarkupFault("An end tag closes nothing", at);
  const [, name = "", rest = ""] = /^<\/([^\s>]*)\s*(>?)/.exec(html.slice(at, at + 200)) ?? [];
  if (rest === "") throw new MarkupFault("An end tag lacks its >", at);
  if (name !== "" && name !== open.tag) throw new MarkupFault(`The tag <${open.tag}> is open where </${shown(name)}> stands`, at);
  return html.indexOf(">", at) + 1;
}

function readStart(html: string, begin: number): Pick<Open, "tag" | "attributes"> & { end: number } {
  const unclosed = () => new MarkupFault("A tag lacks its >; a < of the text itself is written &lt;", begin);
  let at = begin + 1;
  const skip = (while_: (character: string) => boolean): string => {
    const from = at;
    while (at < html.length && while_(html[at]!)) at++;
    if (at >= html.length) throw unclosed();
    return html.slice(from, at);
  };
  const tag = skip((character) => !isSpace(character) && character !== ">").toLowerCase();
  if (!TAGS.has(tag)) throw new MarkupFault(`Telegram knows no tag <${shown(tag)}>; a < of the text itself is written &lt;`, begin);
  const attributes = new Map<string, string>();
  for (;;) {
    skip(isSpace);
    if (html[at] === ">") break;
    const name = skip((character) => !isSpace(character) && !`=>/"'`.includes(character));
    if (name === "") throw new MarkupFault(`An attribute of <${tag}> has no name`, at);
    skip(isSpace);
    if (html[at] !== "=") {
      attributes.set(name, "");
      continue;
    }
    at++;
    skip(isSpace);
    attributes.set(name, readValue());
  }
  checkTag(tag, attributes, begin);
  return { tag, attributes, end: at + 1 };

  function readValue(): string {
    const quote = html[at]!;
    if (quote === "'" || quote === '"') {
      at++;
      const from = at;
      skip((character) => character !== quote);
      const value = unescaped(html.slice(from, at));
      at++;
      if (at >= html.length) throw unclosed();
      return value;
    }
    const value = skip((character) => /^[A-Za-z0-9.-]$/.test(character)).toLowerCase();
    if (!isSpace(html[at]!) && html[at] !== ">") throw new MarkupFault(`A value in <${tag}> wants to stand in quotes`, at);
    return value;
  }
}

function checkTag(tag: string, attributes: ReadonlyMap<string, string>, at: number): void {
  if (tag === "span" && attributes.get("class") !== "tg-spoiler") throw new MarkupFault('A <span> must have class="tg-spoiler"', at);
  if (tag === "tg-emoji" && !isIdentifier(attributes.get("emoji-id") ?? null))
    throw new MarkupFault("A <tg-emoji> needs the number of an emoji as its emoji-id", at);
  if (tag === "tg-time" && !isIdentifier(attributes.get("unix") ?? null))
    throw new MarkupFault("A <tg-time> needs a time in seconds since 1970 as its unix", at);
}

function unescaped(value: string): string {
  let text = "";
  for (let at = 0; at < value.length;) {
    const reference = value[at] === "&" ? readReference(value, at) : null;
    text += reference?.text ?? value[at]!;
    at = reference?.end ?? at + 1;
  }
  return text;
}

/** Of a name that is none, enough to find it again. */
function shown(name: string): string {
  return name.length > 20 ? `${name.slice(0, 20)}…` : name;
}
