import { Long, type tl } from "@mtcute/core";

/** A kind of entity without its place. */
export type Style =
  | { _: "messageEntityBold" | "messageEntityItalic" | "messageEntityUnderline" | "messageEntityStrike" }
  | { _: "messageEntitySpoiler" | "messageEntityCode" }
  | { _: "messageEntityPre"; language: string }
  | { _: "messageEntityTextUrl"; url: string }
  | { _: "messageEntityCustomEmoji"; documentId: tl.Long }
  | { _: "messageEntityBlockquote"; collapsed?: boolean }
  | ({ _: "messageEntityFormattedDate"; date: number } & DateFlags)
  | { _: "mention"; user_id: number };

interface DateFlags {
  relative?: boolean;
  dayOfWeek?: boolean;
  shortDate?: boolean;
  longDate?: boolean;
  shortTime?: boolean;
  longTime?: boolean;
}

/** In UTF-16 code units, as Telegram counts, and JavaScript. */
export interface Styled {
  offset: number;
  length: number;
  style: Style;
}

export interface Marked {
  text: string;
  styled: Styled[];
}

/** The text is not marked up as it says. */
export class MarkupError extends Error {
  override name = "MarkupError";
}

/** What a link's address means; null of one that is none. */
export function linkOf(address: string): Style | null {
  const user = /^tg:\/\/user\/?\?id=(\d{1,15})$/i.exec(address)?.[1];
  if (user !== undefined) return { _: "mention", user_id: Number(user) };
  if (address === "") return null;
  const url = /^[a-z][a-z0-9+.-]*:/i.test(address) ? address : `http://${address}`;
  return URL.canParse(url) ? { _: "messageEntityTextUrl", url } : null;
}

export const emojiOf = (id: string): Style => ({ _: "messageEntityCustomEmoji", documentId: Long.fromString(id) });

/** How a moment is written, by the Bot API's letters: https://core.telegram.org/bots/api#date-time-entity-formatting */
export function dateOf(unix: string, format: string): Style {
  const flags = {
    ...(format.includes("r") && { relative: true }),
    ...(format.includes("w") && { dayOfWeek: true }),
    ...(format.includes("d") && { shortDate: true }),
    ...(format.includes("D") && { longDate: true }),
    ...(format.includes("t") && { shortTime: true }),
    ...(format.includes("T") && { longTime: true }),
  };
  return { _: "messageEntityFormattedDate", date: Number(unix), ...flags };
}
