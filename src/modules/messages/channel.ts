import type { OutcomeCode } from "#src/core/outcomes.ts";
import type { Maybe } from "#src/core/tx.ts";
import type { Person } from "./model.ts";

/** A way to reach people. Declared here, implemented by `plugins/telegram-bot`, `plugins/sandbox` and later ones. */
export interface Channel {
  /** The account kind that it serves: `telegram_bot`, `sandbox`. */
  readonly kind: string;
  /** What messages of it say in `channel`: `telegram`, `sandbox`. */
  readonly name: string;
  /**
   * The network whose people it reaches: channels of one family write a recipient alike, and an opt-out from one counts for
   * all. The sandbox is of Telegram's, so that a test environment rehearses what a live one does.
   */
  readonly family: string;
  /** True when sending the same message a second time has no effect: after a crash it is sent again, not given up. */
  readonly resendable: boolean;
  /** True when a send leaves this process: then the message is durably `sending` before it does. */
  readonly usesNetwork: boolean;
  /** True where a `@username` means a chat that the account has had before, which is looked up for `Destination.chat_id`. */
  readonly remembersChats: boolean;
  /** How fast an account may send: all limits hold at once. Empty is without limit. */
  readonly accountLimits: readonly Limit[];
  /** How fast one conversation may be written to. */
  chatLimits(recipient: string): readonly Limit[];
  /**
   * Puts a recipient as given by a client (`sarah_miller`, `@Sarah_Miller`, `123456789`, 123456789) into the one form in
   * which it is kept and ordered (`@sarah_miller`, `123456789`).
   * @returns null when the channel can't address such a recipient
   */
  normalize(recipient: string | number): string | null;
  /** A problem to answer at once instead of taking the message, such as a magic recipient's. */
  refuse?(recipient: string): "daily_send_limit_reached" | null;
  /** Only where people are played: who writes from such an address in its normal form; null where nobody can. */
  persona?(address: string): Person | null;
  /** The recipient's own names, for `{variables}`. Touches the network. */
  profile(account: ChannelAccount, to: Destination, signal: AbortSignal): Maybe<ProfileResult>;
  /** Sends one message, once. Never throws: whatever can happen is a result. */
  send(account: ChannelAccount, message: Outgoing, signal: AbortSignal): Maybe<SendResult>;
}

/** At most `count` in any `per_ms` milliseconds. */
export interface Limit {
  count: number;
  per_ms: number;
}

export interface ChannelAccount {
  env_id: number;
  id: number;
  username: string | null;
  /** The bot's token, opened; never log it. */
  token: string | null;
}

export interface Destination {
  /** In the normal form of the channel. */
  recipient: string;
  /** The chat that this recipient is known to be, as a decimal text; null when not known. */
  chat_id: string | null;
}

export interface Outgoing extends Destination {
  /** `msg_…`: a channel that can derives its own deduplication key from it. */
  id: string;
  /** Final text, variables resolved. */
  text: string;
  silent: boolean;
  /** The channel's own id of the message that this one answers. */
  reply_to: string | null;
}

export interface Profile {
  first_name: string | null;
  last_name: string | null;
  username: string | null;
}

/** What a send taught about the chat; kept, so that `@username` finds it the next time. */
export interface ChatFacts extends Profile {
  chat_id: string;
  /** `private`, `group`, `supergroup`, `channel`. */
  type: string;
}

export type ProfileResult = { kind: "profile"; profile: Profile; chat: ChatFacts | null } | Refusal;

export type SendResult =
  | {
      kind: "sent";
      /** The channel's own id of the message. */
      remote_id: string;
      chat: ChatFacts | null;
      /** How far it went at once; channels that hear of it later report `sent`. */
      reached: "sent" | "delivered" | "read";
    }
  | Refusal;

export type Refusal =
  /** Final. */
  | { kind: "failed"; code: OutcomeCode; message: string; link: string | null }
  /** The channel asks for patience with this account (retry_after). Costs no attempt. */
  | { kind: "hold"; ms: number; reason: string }
  /** The request certainly never reached the channel: safe to repeat. */
  | { kind: "unreached"; reason: string }
  /** The request was written and no answer came, or a 5xx: it may have been done. */
  | { kind: "unknown"; reason: string }
  /** The account's token or session is no longer accepted: keep the queue, stop the account. */
  | { kind: "unauthorized"; reason: string };
