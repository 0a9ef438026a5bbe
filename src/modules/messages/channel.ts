import type { OutcomeCode } from "#src/core/outcomes.ts";
import type { Maybe } from "#src/core/tx.ts";
import type { Inbound } from "#src/modules/connections/model.ts";
import type { AttachmentType } from "#src/modules/files/model.ts";
import type { Button, ParseMode, Person } from "./model.ts";

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
  /** True of accounts that people use too: they send one message after another, and must not try again and again. */
  readonly oneAtATime?: boolean;
  /** True where messages can't have buttons. */
  readonly lacksButtons?: boolean;
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
  /** What would keep a message from reaching a recipient, as far as can be told without asking. @param isKnown the account has had this chat */
  foresee?(account: Pick<ChannelAccount, "username">, recipient: string, isKnown: boolean): Obstacle | null;
  /** Only where people are played: who writes from such an address in its normal form; null where nobody can. */
  persona?(address: string): Person | null;
  /** The recipient's own names, for `{variables}`. Touches the network. */
  profile(account: ChannelAccount, to: Destination, signal: AbortSignal): Maybe<ProfileResult>;
  /** Sends one message, once. Never throws: whatever can happen is a result. */
  send(account: ChannelAccount, message: Outgoing, signal: AbortSignal): Maybe<SendResult>;
  /** Changes a message that was sent. Never throws; to do it twice is to do it once. */
  edit?(account: ChannelAccount, message: SentMessage, revision: Revision, signal: AbortSignal): Maybe<DoneResult>;
  /** Takes a message that was sent away from both sides. Never throws; to do it twice is to do it once. */
  remove?(account: ChannelAccount, message: SentMessage, signal: AbortSignal): Maybe<DoneResult>;
  /** Begins to fetch a received file. @param remote as the channel told of it */
  fetchFile?(account: ChannelAccount, remote: string, signal: AbortSignal): Maybe<FetchResult>;
}

/** Why somebody can't be written to. */
export interface Obstacle {
  code: OutcomeCode;
  message?: string;
  /** What to hand over, so that they open the conversation. */
  link?: string | null;
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
  /** A forum's topic; null elsewhere. */
  topic_id: string | null;
  parse_mode: ParseMode | null;
  /** Several are an album, with the text as its caption. */
  files: readonly OutgoingFile[];
  buttons: readonly (readonly Button[])[];
}

/** A file to send. */
export interface OutgoingFile {
  type: AttachmentType;
  name: string | null;
  mime: string | null;
  /** Ours, streamed from where it is kept; or where Telegram shall fetch it. */
  source: { blob: Blob } | { url: string };
}

/** A message that was sent, as its channel knows it. */
export interface SentMessage extends Destination {
  remote_id: string;
  /** Those of an album's other messages. */
  others: readonly string[];
}

/** What a sent message becomes. */
export interface Revision {
  text: string;
  parse_mode: ParseMode | null;
  buttons: readonly (readonly Button[])[];
  /** The text is the caption of a file. */
  isCaption: boolean;
}

export type DoneResult = { kind: "done" } | Refusal;

/** A file's bytes as they come; a reader that stops breaks the transfer off. */
export type FetchResult = { kind: "file"; bytes: ReadableStream<Uint8Array>; size: number | null } | Refusal;

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
  /** Of a group. */
  title?: string | null;
}

export type ProfileResult = { kind: "profile"; profile: Profile; chat: ChatFacts | null } | Refusal;

export type SendResult =
  | {
      kind: "sent";
      /** The channel's own id of the message; null when it was sent by an earlier try and is not found any more. */
      remote_id: string | null;
      /** Those of an album's other messages. */
      others?: readonly string[];
      /** The chat that it is in, where `chat` doesn't tell. */
      chat_id?: string;
      chat: ChatFacts | null;
      /** Only where people are played: what they did with it. */
      happened?: readonly Inbound[];
      /** How far it went at once; channels that hear of it later report `sent`. */
      reached: "sent" | "delivered" | "read";
    }
  | Refusal;

export type Refusal =
  /** Final. */
  | { kind: "failed"; code: OutcomeCode; message: string; link: string | null }
  /** The channel asks for patience with this account (retry_after). Costs no attempt. */
  | { kind: "hold"; ms: number; reason: string }
  /** The same for this chat alone (SLOWMODE_WAIT). */
  | { kind: "hold_chat"; ms: number; reason: string }
  /** Telegram lets the account write to nobody new for now (PEER_FLOOD): the message fails, and who is new waits. */
  | { kind: "restricted"; reason: string }
  /** Keep the queue; a person has to look at the account before it goes on. */
  | { kind: "pause"; reason: string }
  /** The request certainly never reached the channel: safe to repeat. */
  | { kind: "unreached"; reason: string }
  /** The request was written and no answer came, or a 5xx: it may have been done. */
  | { kind: "unknown"; reason: string }
  /** The account's token or session is no longer accepted: keep the queue, stop the account. `final`: it is gone for good. */
  | { kind: "unauthorized"; reason: string; final?: boolean };
