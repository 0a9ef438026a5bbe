import type { Entity } from "#test/support/bot-api/model.ts";
import { byteOffset, type Marked, MarkupError, ordered } from "./markup.ts";

type Kind =
  | "Bold"
  | "Italic"
  | "Underline"
  | "Strikethrough"
  | "Spoiler"
  | "TextUrl"
  | "CustomEmoji"
  | "Code"
  | "Pre"
  | "PreCode"
  | "BlockQuote";

interface Open {
  kind: Kind;
  /** Of the mark, in the source. */
  start: number;
  /** In the text without markup. */
  offset: number;
  language: string;
}

const RESERVED = "_*[]()~`>#+-=|{}.!";
const TYPES: Record<Kind, string> = {
  Bold: "bold",
  Italic: "italic",
  Underline: "underline",
  Strikethrough: "strikethrough",
  Spoiler: "spoiler",
  TextUrl: "text_link",
  CustomEmoji: "custom_emoji",
  Code: "code",
  Pre: "pre",
  PreCode: "pre",
  BlockQuote: "blockquote",
};
/** The marks, the longer before those with which they begin; a link begins and ends differently. */
const BEGINNINGS: readonly [string, Kind][] = [
  ["```", "Pre"],
  ["`", "Code"],
  ["__", "Underline"],
  ["_", "Italic"],
  ["*", "Bold"],
  ["~", "Strikethrough"],
  ["||", "Spoiler"],
  ["![", "CustomEmoji"],
  ["[", "TextUrl"],
];
const ENDS: Record<Kind, string> = {
  Bold: "*",
  Italic: "_",
  Underline: "__",
  Strikethrough: "~",
  Spoiler: "||",
  TextUrl: "]",
  CustomEmoji: "]",
  Code: "`",
  Pre: "```",
  PreCode: "```",
  BlockQuote: "\n",
};

const isEscapable = (code = 0) => code > 0 && code < 127;

/** https://core.telegram.org/bots/api#markdownv2-style @throws MarkupError in the words of TDLib's `parse_markdown_v2` */
export function parseMarkdownV2(source: string): Marked {
  const open: Open[] = [];
  const entities: Entity[] = [];
  let text = "";
  let at = 0;
  while (at < source.length) {
    const char = source.charAt(at);
    const inner = open.at(-1);
    const isCode = inner !== undefined && ["Code", "Pre", "PreCode"].includes(inner.kind);
    if (char === "\\" && isEscapable(source.codePointAt(at + 1))) {
      text += source.charAt(at + 1);
      at += 2;
    } else if (char === "\n" && isQuoteOver()) {
      endQuote();
    } else if (isCode ? char !== "`" : !RESERVED.includes(char)) {
      text += char;
      at++;
    } else if (inner !== undefined && isEnd(inner)) {
      end(inner);
    } else if (isCode) {
      text += char;
      at++;
    } else {
      begin(char);
    }
  }
  if (open[0]?.kind === "BlockQuote" && open.length === 1) endQuote();
  const unclosed = open.at(-1);
  if (unclosed !== undefined) {
    throw new MarkupError(`Can't find end of ${unclosed.kind} entity at byte offset ${byteOffset(source, unclosed.start)}`);
  }
  return { text, entities: ordered(entities) };

  function isEnd({ kind }: Open): boolean {
    if (kind === "Italic" && source.startsWith("__", at)) return false;
    return source.startsWith(ENDS[kind], at);
  }

  function begin(char: string): void {
    const isLineStart = at === 0 || source[at - 1] === "\n";
    if (char === ">" && isLineStart && open.length === 0) {
      open.push({ kind: "BlockQuote", start: at, offset: text.length, language: "" });
      at++;
      return;
    }
    // The further lines of a quotation begin with the same mark.
    if (char === ">" && isLineStart && open[0]?.kind === "BlockQuote") {
      at++;
      return;
    }
    const [mark, kind] = BEGINNINGS.find(([mark]) => source.startsWith(mark, at)) ?? [];
    if (mark === undefined || kind === undefined) {
      throw new MarkupError(`Character '${char}' is reserved and must be escaped with the preceding '\\'`);
    }
    const begun: Open = { kind, start: at, offset: text.length, language: "" };
    open.push(begun);
    at += mark.length;
    if (kind !== "Pre") return;
    const language = /^[^\s`]+(?=\s)/.exec(source.slice(at))?.[0] ?? "";
    if (language !== "") Object.assign(begun, { kind: "PreCode", language });
    at += language.length;
    at += /^(\r\n|\n\r|\n|\r)?/.exec(source.slice(at))?.[0].length ?? 0;
  }

  function end({ kind, offset, language }: Open): void {
    open.pop();
    at += ENDS[kind].length;
    const entity: Entity = { type: TYPES[kind], offset, length: text.length - offset };
    if (kind === "TextUrl" || kind === "CustomEmoji") {
      const url = source[at] === "(" ? address() : text.slice(offset);
      if (kind === "CustomEmoji") entities.push({ ...entity, custom_emoji_id: /id=(\d+)/.exec(url)?.[1] ?? "" });
      else if (URL.canParse(url)) entities.push({ ...entity, url: new URL(url).href });
      return;
    }
    entities.push(language === "" ? entity : { ...entity, language });
  }

  /** Reads `(address)`. */
  function address(): string {
    const begin = ++at;
    let url = "";
    while (at < source.length && source[at] !== ")") {
      if (source[at] === "\\") at++;
      url += source.charAt(at++);
    }
    if (source[at] !== ")") throw new MarkupError(`Can't find end of a URL at byte offset ${byteOffset(source, begin)}`);
    at++;
    return url;
  }

  function isQuoteOver(): boolean {
    return open.length === 1 && open[0]?.kind === "BlockQuote" && source[at + 1] !== ">";
  }

  function endQuote(): void {
    const { offset } = open.pop() ?? { offset: 0 };
    entities.push({ type: "blockquote", offset, length: text.length - offset });
  }
}
