import { escapeMarkup, type Markup } from "./markup.ts";

/** Gives another address in the place of one; the same leaves it. */
type Replace = (address: string) => string;

/** How an address that is written out looks in a text, with its variables and braces (`\{`), and how its characters stand there. */
interface Writing {
  pattern: RegExp;
  read(written: string): string;
  write(address: string): string;
}

const plain: Writing = { pattern: /https?:\/\/(?:\\\{|[^\s<>"'`\\])+/gi, read: (written) => written, write: (address) => address };
const html: Writing = {
  pattern: /https?:\/\/(?:\\\{|&(?:amp|#39);|[^\s<>"'`\\&])+/gi,
  read: readHtml,
  write: (address) => escapeMarkup(address, "HTML"),
};
const markdown: Writing = {
  pattern: /https?:\/\/(?:\{[^{}]*\}|\\[^\s\w]|[^\s\\*_~`|[\]()>#+\-=|{}.!])+/gi,
  read: (written) => written.replace(/\\([^\s\w])/g, "$1"),
  write: (address) => escapeMarkup(address, "MarkdownV2"),
};

/** What closes a sentence or a bracket behind an address is not of it. */
const CLOSING = /[.,;:!?)\]}…]+$/;
/** What Telegram shows as it stands, a link with its words, or any other tag. */
const TAGS = /(<code[\s>].*?<\/code>|<pre[\s>].*?<\/pre>|<a\s.*?<\/a>|<[^>]*>)/gis;
const HREF = /^(<a\s+[^>]*?href\s*=\s*)("[^"]*"|'[^']*'|[^\s>"']+)/i;
/** Code, or a link with its words, whose address is the second part. */
const SPANS = /(```[\s\S]*?```|`(?:\\.|[^`\\])*`|\[(?:\\.|[^\]\\])*\]\((?:\\.|[^\\)])*\))/g;
const TARGET = /^(\[(?:\\.|[^\]\\])*\]\()((?:\\.|[^\\)])*)\)$/s;

/** Puts other addresses in the place of the web addresses of a text: of those behind words, and of those that are written out. */
export function replaceLinks(text: string, markup: Markup | null, replace: Replace): string {
  if (markup === "HTML") return betweenSpans(text, TAGS, html, inTag, replace);
  if (markup === "MarkdownV2") return betweenSpans(text, SPANS, markdown, inSpan, replace);
  return writtenOut(text, plain, replace);
}

function betweenSpans(
  text: string,
  spans: RegExp,
  writing: Writing,
  inSpan: (span: string, replace: Replace) => string,
  replace: Replace,
): string {
  // Split at a pattern that is kept, each second part is one that it has found.
  return text
    .split(spans)
    .map((part, at) => (at % 2 === 1 ? inSpan(part, replace) : writtenOut(part, writing, replace)))
    .join("");
}

function writtenOut(text: string, { pattern, read, write }: Writing, replace: Replace): string {
  return text.replace(pattern, (written) => {
    const all = read(written);
    const address = all.replace(CLOSING, "");
    const other = replace(address);
    return other === address ? written : write(other) + write(all.slice(address.length));
  });
}

function inTag(tag: string, replace: Replace): string {
  return tag.replace(HREF, (whole, before: string, value: string) => {
    const address = readHtml(value.replace(/^(["'])(.*)\1$/s, "$2"));
    const other = isWeb(address) ? replace(address) : address;
    return other === address ? whole : `${before}"${escapeMarkup(other, "HTML")}"`;
  });
}

function inSpan(span: string, replace: Replace): string {
  return span.replace(TARGET, (whole, before: string, target: string) => {
    const address = target.replace(/\\(.)/gs, "$1");
    const other = isWeb(address) ? replace(address) : address;
    // Within the brackets only these two have a meaning.
    return other === address ? whole : `${before}${other.replace(/[\\)]/g, String.raw`\$&`)})`;
  });
}

const isWeb = (address: string) => /^https?:\/\/\S+$/i.test(address);

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

function readHtml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => named[name]!);
}
