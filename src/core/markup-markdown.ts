import type { Marked, Style, Styled } from "./marked.ts";
import { isIdentifier, MarkupFault } from "./markup-fault.ts";

/** https://core.telegram.org/bots/api#markdownv2-style */
const RESERVED = "_*[]()~`>#+-=|{}.!\n";

type Kind = "*" | "_" | "__" | "~" | "||" | "`" | "```" | "[" | "![" | ">";

interface Open {
  kind: Kind;
  at: number;
  /** Where it begins in the text. */
  offset: number;
  /** Of a code block. */
  language: string;
}

const SIMPLE: Readonly<Partial<Record<Kind, Style>>> = {
  ...{ "*": { kind: "bold" }, _: { kind: "italic" }, __: { kind: "underline" }, "~": { kind: "strike" } },
  ...{ "||": { kind: "spoiler" }, "`": { kind: "code" } },
};

const names: Readonly<Record<Kind, string>> = {
  "*": "bold text",
  _: "italic text",
  __: "underlined text",
  "~": "struck-out text",
  "||": "a spoiler",
  "`": "code",
  "```": "a code block",
  "[": "a link",
  "![": "a custom emoji or time",
  ">": "a quotation",
};

/** What ends an entity where it is the innermost one. */
const ends: Readonly<Record<Exclude<Kind, ">">, string>> = {
  "*": "*",
  _: "_",
  __: "__",
  "~": "~",
  "||": "||",
  "`": "`",
  "```": "```",
  "[": "]",
  "![": "]",
};

/**
 * Reads a text with the markup of Telegram's MarkdownV2, by the rules of its own parser:
 * https://github.com/tdlib/td/blob/master/td/telegram/MessageEntity.cpp (parse_markdown_v2)
 * @throws MarkupFault
 */
export function readMarkdown(markdown: string): Marked {
  const open: Open[] = [];
  const styled: Styled[] = [];
  let text = "";
  let at = 0;
  /** A quotation begins at the beginning of a line. */
  let lineBegins = true;

  function write(character: string): void {
    text += character;
    at += character.length;
    lineBegins = character === "\n";
  }

  while (at < markdown.length) {
    const character = markdown[at]!;
    if (character === "\\" && isEscapable(markdown[at + 1])) {
      at++;
      write(markdown[at]!);
      lineBegins = false;
      continue;
    }
    const inner = open.at(-1);
    const isCode = inner?.kind === "`" || inner?.kind === "```";
    if (isCode ? character !== "`" : !RESERVED.includes(character)) write(character);
    else if (character === "\n") endLine(inner);
    else if (isExpandability(inner)) {
      at += 2;
      endQuote(true);
    } else if (inner !== undefined && isEnd(inner.kind)) end(inner);
    else if (isCode) write(character);
    else begin();
  }
  if (open.at(-1)?.kind === ">") endQuote(false);
  const last = open.at(-1);
  if (last !== undefined) throw new MarkupFault(`The end of ${names[last.kind]} is missing`, last.at);
  return { text, styled };

  function put(offset: number, style: Style): void {
    const length = text.length - offset;
    if (length > 0) styled.push({ offset, length, style });
  }

  function endQuote(collapsed: boolean): void {
    put(open.pop()!.offset, { kind: "quote", collapsed });
  }

  /** A quotation ends with the last line that begins with its sign. */
  function endLine(inner: Open | undefined): void {
    const goesOn = markdown[at + 1] === ">";
    const isQuoted = open.some(({ kind }) => kind === ">");
    if (isQuoted && !goesOn && inner?.kind === ">") endQuote(false);
    write("\n");
    if (isQuoted && goesOn) {
      at++;
      lineBegins = false;
    }
  }

  /** Two bars at the end of a quotation make it one that can be unfolded. */
  function isExpandability(inner: Open | undefined): boolean {
    const next = markdown[at + 2];
    return inner?.kind === ">" && markdown.startsWith("||", at) && (next === undefined || next === "\n");
  }

  function isEnd(kind: Kind): boolean {
    if (kind === ">") return false;
    // Two of them are underlining, begun or ended.
    if (kind === "_" && markdown[at + 1] === "_") return false;
    return markdown.startsWith(ends[kind], at);
  }

  function end({ kind, at: begun, offset, language }: Open): void {
    open.pop();
    at += ends[kind as keyof typeof ends].length;
    if (kind === "```") put(offset, { kind: "pre", language });
    else if (kind === "[") put(offset, { kind: "link", address: markdown[at] === "(" ? readUrl(at + 1) : text.slice(offset) });
    else if (kind === "![") put(offset, readEmojiOrTime(begun));
    else put(offset, SIMPLE[kind]!);
  }

  function readEmojiOrTime(begun: number): Style {
    if (markdown[at] !== "(") throw new MarkupFault("Behind the ] of a custom emoji or time stands its address in ( and )", at);
    return emojiOrTime(readUrl(at + 1), begun);
  }

  function readUrl(from: number): string {
    let url = "";
    for (at = from; at < markdown.length && markdown[at] !== ")"; at++) {
      if (markdown[at] === "\\" && isEscapable(markdown[at + 1])) at++;
      url += markdown[at]!;
    }
    if (at >= markdown.length) throw new MarkupFault("The ) of a link is missing", from - 1);
    at++;
    return url;
  }

  function begin(): void {
    const kind = kindAt();
    if (kind === null) throw new MarkupFault(`A ${markdown[at]!} of the text itself needs a backslash in front of it`, at);
    const begun = at;
    at += kind.length;
    const language = kind === "```" ? readLanguage() : "";
    open.push({ kind, at: begun, offset: text.length, language });
    if (kind === ">") lineBegins = false;
  }

  function kindAt(): Kind | null {
    const character = markdown[at]!;
    const isTwice = markdown[at + 1] === character;
    switch (character) {
      case "*":
      case "~":
      case "[":
        return character;
      case "_":
        return isTwice ? "__" : "_";
      case "|":
        return isTwice ? "||" : null;
      case "!":
        return markdown[at + 1] === "[" ? "![" : null;
      case "`":
        return markdown.startsWith("```", at) ? "```" : "`";
      case ">":
        return lineBegins ? ">" : null;
      default:
        return null;
    }
  }

  /** The first line of a code block is the name of its language, where a space or the end of the line follows it. */
  function readLanguage(): string {
    const [word = ""] = /^[^\s`]*/.exec(markdown.slice(at, at + 200)) ?? [];
    const next = markdown[at + word.length];
    const language = next !== undefined && next !== "`" ? word : "";
    at += language.length;
    const [lineEnd = ""] = /^(\r\n|\n\r|\n|\r)?/.exec(markdown.slice(at, at + 2)) ?? [];
    at += lineEnd.length;
    return language;
  }
}

const isEscapable = (character: string | undefined) => character !== undefined && character >= "\u0001" && character <= "~";

/** https://core.telegram.org/bots/api#custom-emoji-entity-format */
function emojiOrTime(url: string, at: number): Style {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const kind = parsed?.protocol === "tg:" ? /^\/*(emoji|time)$/.exec(`${parsed.host}${parsed.pathname}`)?.[1] : undefined;
  const number = parsed?.searchParams.get(kind === "emoji" ? "id" : "unix") ?? null;
  if (kind === undefined || number === null || !isIdentifier(number))
    throw new MarkupFault(
      "The address of a custom emoji is tg://emoji?id=, and its number; that of a time tg://time?unix=, and its seconds",
      at,
    );
  return kind === "emoji" ? { kind, id: number } : { kind: "time", unix: number, format: parsed?.searchParams.get("format") ?? "" };
}
