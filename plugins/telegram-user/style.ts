import { Long, type tl } from "@mtcute/core";
import type { Style } from "#src/core/marked.ts";

/** A kind of entity without its place. */
export type Entity =
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

const simple = {
  bold: { _: "messageEntityBold" },
  italic: { _: "messageEntityItalic" },
  underline: { _: "messageEntityUnderline" },
  strike: { _: "messageEntityStrike" },
  spoiler: { _: "messageEntitySpoiler" },
  code: { _: "messageEntityCode" },
} as const;

/** In the words of MTProto; null of a link that is none. */
export function entityOf(style: Style): Entity | null {
  switch (style.kind) {
    case "pre":
      return { _: "messageEntityPre", language: style.language };
    case "quote":
      return { _: "messageEntityBlockquote", ...(style.collapsed && { collapsed: true }) };
    case "link":
      return linkOf(style.address);
    case "emoji":
      return { _: "messageEntityCustomEmoji", documentId: Long.fromString(style.id) };
    case "time":
      return dateOf(style.unix, style.format);
    default:
      return simple[style.kind];
  }
}

/** What a link's address means; null of one that is none. */
function linkOf(address: string): Entity | null {
  const user = /^tg:\/\/user\/?\?id=(\d{1,15})$/i.exec(address)?.[1];
  if (user !== undefined) return { _: "mention", user_id: Number(user) };
  if (address === "") return null;
  const url = /^[a-z][a-z0-9+.-]*:/i.test(address) ? address : `http://${address}`;
  return URL.canParse(url) ? { _: "messageEntityTextUrl", url } : null;
}

/** How a moment is written, by the Bot API's letters: https://core.telegram.org/bots/api#date-time-entity-formatting */
function dateOf(unix: string, format: string): Entity {
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
