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
}

/**
 * How a bot and a chat stand to each other.
 * `unknown` they never met · `met` the bot saw the person in a group, the person never pressed Start · `open` it may write ·
 * `blocked` by the person · `kicked`, `left`, `muted` in a group or channel.
 */
export type Standing = "unknown" | "met" | "open" | "blocked" | "kicked" | "left" | "muted";

/** A sendMessage that was done, whether or not its answer reached anybody. */
export interface Sent {
  token: string;
  chat_id: number;
  text: string;
  /** Milliseconds since 1970. */
  at: number;
  message_id: number;
  silent: boolean;
  parse_mode: string | null;
  reply_to: number | null;
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
