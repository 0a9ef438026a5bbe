import { dateOf, emojiOf, linkOf, type Marked, MarkupError, type Style, type Styled } from "./style.ts";

type Kind = "*" | "_" | "__" | "~" | "||" | "`" | "```" | "[" | "![" | ">";

interface Open {
  kind: Kind;
  offset: number;
  language: string;
}

const RESERVED = "_*[]()~`>#+-=|{}.!\n";
const STYLES: Readonly<Partial<Record<Kind, Style>>> = {
  "*": { _: "messageEntityBold" },
  _: { _: "messageEntityItalic" },
  __: { _: "messageEntityUnderline" },
  "~": { _: "messageEntityStrike" },
  "||": { _: "messageEntitySpoiler" },
  "`": { _: "messageEntityCode" },
};

/**
 * https://core.telegram.org/bots/api#markdownv2-style, by the rules of Telegram's own parser:
 * https://github.com/tdlib/td/blob/master/td/telegram/MessageEntity.cpp (parse_markdown_v2)
 */
export function readMarkdown(markdown: string): Marked {
  const open: Open[] = [];
  const styled: Styled[] = [];
  let text = "";
  let at = 0;
  let lineBegins = true;

  while (at < markdown.length) {
    const character = markdown[at]!;
    const inner = open.at(-1);
    const isCode = inner?.kind === "`" || inner?.kind === "```";
    if (character === "\\" && isEscapable(markdown[at + 1])) {
      text += markdown[at + 1]!;
      at += 2;
      lineBegins = false;
    } else if (isCode ? character !== "`" : !RESERVED.includes(character)) write(character);
    else if (character === "\n") endLine(inner);
    else if (isExpandability(inner)) {
      at += 2;
      endQuote(true);
    } else if (inner !== undefined && isEnd(inner.kind)) end(inner);
    else if (isCode) write(character);
    else begin();
  }
  if (open.at(-1)?.kind === ">") endQuote(false);
  if (open.length > 0) throw new MarkupError("Something that was begun is not ended");
  return { text, styled };

  function write(character: string): void {
    text += character;
    at += 1;
    lineBegins = character === "\n";
  }

  function put(offset: number, style: Style | null): void {
    const length = text.length - offset;
    if (style !== null && length > 0) styled.push({ offset, length, style });
  }

  function endLine(inner: Open | undefined): void {
    const goesOn = markdown[at + 1] === ">";
    const isQuoted = open.some(({ kind }) => kind === ">");
    if (isQuoted && !goesOn && inner?.kind === ">") endQuote(false);
    write("\n");
    if (!isQuoted || !goesOn) return;
    at += 1;
    lineBegins = false;
  }

  function endQuote(collapsed: boolean): void {
    const quote = open.pop();
    if (quote !== undefined) put(quote.offset, { _: "messageEntityBlockquote", ...(collapsed && { collapsed }) });
  }

  function isExpandability(inner: Open | undefined): boolean {
    const next = markdown[at + 2];
    return inner?.kind === ">" && markdown.startsWith("||", at) && (next === undefined || next === "\n");
  }

  function isEnd(kind: Kind): boolean {
    if (kind === ">" || (kind === "_" && markdown[at + 1] === "_")) return false;
    return markdown.startsWith(kind === "[" || kind === "![" ? "]" : kind, at);
  }

  function end({ kind, offset, language }: Open): void {
    open.pop();
    const isAddressed = kind === "[" || kind === "![";
    at += isAddressed ? 1 : kind.length;
    if (kind === "```") put(offset, { _: "messageEntityPre", language });
    else if (isAddressed) put(offset, addressed(kind, text.slice(offset)));
    else put(offset, STYLES[kind] ?? null);
  }

  function addressed(kind: "[" | "![", inner: string): Style | null {
    if (markdown[at] !== "(") return kind === "[" ? linkOf(inner) : null;
    let address = "";
    for (at += 1; at < markdown.length && markdown[at] !== ")"; at += 1) {
      if (markdown[at] === "\\" && isEscapable(markdown[at + 1])) at += 1;
      address += markdown[at]!;
    }
    if (at >= markdown.length) throw new MarkupError("The ) of a link is missing");
    at += 1;
    return kind === "[" ? linkOf(address) : emojiOrTime(address);
  }

  function begin(): void {
    const kind = kindAt();
    if (kind === null) throw new MarkupError(`A ${markdown[at]!} of the text itself needs a backslash in front of it`);
    at += kind.length;
    const language = kind === "```" ? readLanguage() : "";
    open.push({ kind, offset: text.length, language });
    if (kind === ">") lineBegins = false;
  }

  function kindAt(): Kind | null {
    const character = markdown[at]!;
    const isTwice = markdown[at + 1] === character;
    if (character === "*" || character === "~" || character === "[") return character;
    if (character === "_") return isTwice ? "__" : "_";
    if (character === "|") return isTwice ? "||" : null;
    if (character === "!") return markdown[at + 1] === "[" ? "![" : null;
    if (character === "`") return markdown.startsWith("```", at) ? "```" : "`";
    return character === ">" && lineBegins ? ">" : null;
  }

  /** The first word of a code block names its language, where white space follows it. */
  function readLanguage(): string {
    const word = /^[^\s`]*/.exec(markdown.slice(at, at + 200))?.[0] ?? "";
    const next = markdown[at + word.length];
    const language = next !== undefined && next !== "`" ? word : "";
    at += language.length;
    at += /^(?:\r\n|\n\r|\n|\r)?/.exec(markdown.slice(at, at + 2))?.[0].length ?? 0;
    return language;
  }
}

const isEscapable = (character: string | undefined) => character !== undefined && character >= "\u0001" && character <= "~";

function emojiOrTime(address: string): Style | null {
  const { protocol, hostname, pathname, searchParams } = URL.parse(address) ?? {};
  const kind = `${hostname ?? ""}${pathname ?? ""}`.replaceAll("/", "");
  const id = searchParams?.get("id") ?? null;
  const unix = searchParams?.get("unix") ?? null;
  if (protocol === "tg:" && kind === "emoji" && id !== null) return emojiOf(id);
  if (protocol === "tg:" && kind === "time" && unix !== null) return dateOf(unix, searchParams?.get("format") ?? "");
  throw new MarkupError("Behind ! stands the address of a custom emoji or of a time");
}
