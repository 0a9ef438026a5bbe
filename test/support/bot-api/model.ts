/** A bot that the emulator knows. */
export interface Bot {
  id: number;
  token: string;
  username: string;
  first_name: string;
}

export type ChatType = "private" | "group" | "supergroup" | "channel";

/** A chat as the Bot API shows it; of a person, the private chat, whose id is the person's. */
export interface Chat {
  id: number;
  type: ChatType;
  title?: string;
  first_name?: string;
  last_name?: string;
  username?: string;
  /** A supergroup with topics. */
  is_forum?: boolean;
}

/** Who writes, as the Bot API shows it. */
export interface User {
  id: number;
  is_bot: boolean;
  first_name: string;
  last_name?: string | undefined;
  username?: string | undefined;
}

/** A message as the Bot API shows it to the bot: https://core.telegram.org/bots/api#message */
export interface Message {
  message_id: number;
  date: number;
  chat: Chat;
  from?: User;
  [field: string]: unknown;
}

/** https://core.telegram.org/bots/api#messageentity */
export interface Entity {
  type: string;
  offset: number;
  length: number;
  url?: string;
  language?: string;
  custom_emoji_id?: string;
}

/** A file that was sent, without its bytes. */
export interface SentMedia {
  kind: MediaKind;
  file_id: string;
  name: string;
  type: string;
  size: number;
  sha256: string;
}

export type MediaKind = "photo" | "video" | "animation" | "audio" | "voice" | "document" | "sticker" | "video_note";

/** A press on a button that the bot has answered. */
export interface CallbackAnswer {
  token: string;
  callback_query_id: string;
  text: string | null;
  show_alert: boolean;
  url: string | null;
}

/**
 * How a bot and a chat stand to each other.
 * `unknown` they never met · `met` the bot saw the person in a group, the person never pressed Start · `open` it may write ·
 * `blocked` by the person · `kicked`, `left`, `muted` in a group or channel.
 */
export type Standing = "unknown" | "met" | "open" | "blocked" | "kicked" | "left" | "muted";

/** A message that was sent, whether or not its answer reached anybody; each of an album is one. */
export interface Sent {
  token: string;
  chat_id: number;
  /** As it came, with its markup; empty where it is media. */
  text: string;
  /** Milliseconds since 1970. */
  at: number;
  message_id: number;
  silent: boolean;
  parse_mode: string | null;
  reply_to: number | null;
  /** The topic of a forum. */
  topic: number | null;
  /** As it came, with its markup. */
  caption: string | null;
  media: SentMedia | null;
  media_group_id: string | null;
  reply_markup: Record<string, unknown> | null;
}

/** What has arrived so far; a request whose connection was closed unread is not in it. */
export interface Requests {
  total: number;
  /** By method in lower case. */
  by_method: Record<string, number>;
  /** TCP connections that were accepted: tells whether a client reuses them. */
  connections: number;
  /** Calls that were answered 429 by `enforceLimits`. */
  over_limit: number;
}

/** Which calls are meant; what is left out matches all. */
export interface CallMatch {
  token?: string;
  /** In any case, as in the Bot API. */
  method?: string;
  chat_id?: number;
}

/** The pacing that is held against a bot: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this */
export interface Limits {
  per_second: number;
  per_chat_per_second: number;
  /** Requests that left in time may arrive closer together by this much; default 50. */
  slack_ms?: number;
}
