import type { Button, Content, ParseMode } from "./model.ts";
import type { MessageRow } from "./store.ts";

/** A change that a client has asked for, until it is made. */
export interface Pending {
  /** Its variables not filled in; left out where the text stays. */
  text?: string;
  parse_mode: ParseMode | null;
  buttons?: Button[][];
}

/** What a message's `content` holds, with what no client sees. */
export interface KeptContent extends Content {
  /** The channel's ids of an album's other messages. */
  others?: readonly string[];
  pending?: Pending;
  /** It is to be deleted. */
  leaving?: true;
}

export function keptContent({ content }: Pick<MessageRow, "content">): KeptContent {
  return content === null ? {} : (JSON.parse(content) as KeptContent);
}

/** @returns null for nothing at all, so that a text alone costs nothing */
export function toKept(content: KeptContent): string | null {
  return Object.keys(content).length === 0 ? null : JSON.stringify(content);
}

/** The content with another markup and other buttons. */
export function withMarkup(content: KeptContent, parse_mode: ParseMode | null, buttons: Button[][] | undefined): KeptContent {
  const { parse_mode: _mode, buttons: before = [], ...rest } = content;
  const shown = buttons ?? before;
  return { ...rest, ...(parse_mode === null ? {} : { parse_mode }), ...(shown.length === 0 ? {} : { buttons: shown }) };
}
