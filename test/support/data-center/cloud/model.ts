import type { Long, tl } from "@mtcute/core";
import type { AuthKey } from "#test/support/data-center/wire/keys.ts";
import type { Session } from "#test/support/data-center/wire/session.ts";
import type { Box } from "./box.ts";
import type { Media } from "./files.ts";
import type { Challenge, Password } from "./password.ts";

/** What refuses those who write to a user, as 403 `USER_PRIVACY_RESTRICTED`. */
interface Refusal {
  code: number;
  text: string;
}

/** `required`: Telegram lets nobody in by this number before there is an address. */
export type Email = "set" | "required";

/** Someone with a Telegram account. */
export interface User {
  kind: "user";
  id: number;
  firstName: string;
  lastName?: string;
  username?: string;
  /** Digits alone. Others don't see it. */
  phone?: string;
  /** Nobody finds the user by the number. */
  hidesPhone: boolean;
  isBot: boolean;
  isDeleted: boolean;
  homeDc: number;
  password?: Password;
  /** Login codes go to an e-mail address. */
  email?: Email;
  box: Box;
  /** Random ids of what was sent, of which Telegram takes each once. */
  randomIds: Set<string>;
  refusal?: Refusal;
  contacts: Set<User>;
  blocked: Set<User>;
}

/** A basic group has messages in its members' boxes, a supergroup in one of its own. */
export interface Group {
  kind: "chat" | "channel";
  id: number;
  title: string;
  username?: string;
  members: Set<User>;
  box: Box;
  isForum: boolean;
  /** Forum topics by the number of the message that made them. */
  topics: Map<number, Topic>;
  /** The supergroup that a basic group has become. */
  successor?: Group;
  refusal?: Refusal;
}

export interface Topic {
  id: number;
  title: string;
  date: number;
  by: User;
  isClosed: boolean;
}

export type Peer = User | Group;

/** One message, of which each box of the conversation has a copy with a number of its own. */
export interface Letter {
  from: User;
  /** The other one of a private conversation, or a group. */
  to: Peer;
  /** Unix time, seconds. */
  date: number;
  text: string;
  entities?: tl.TypeMessageEntity[];
  media?: Media;
  /** Common to the messages of an album. */
  albumId?: Long;
  replyTo?: Letter;
  /** The forum topic in which it stands; none for the general one. */
  topicId?: number;
  /** What has happened, of a message that nobody wrote. */
  action?: tl.TypeMessageAction;
  randomId?: Long;
  editDate?: number;
  /** What each one who reacted chose. */
  reactions: Map<User, tl.TypeReaction[]>;
  /** Its number in each box. */
  ids: Map<Box, number>;
}

/** What the cloud knows of an auth key. */
export interface Standing {
  user?: User;
  /** Has given the right code, not yet the password. */
  pending?: User;
  /** Has scanned the QR code. */
  scannedBy?: User;
  /** What everything is refused with once the session was ended. */
  revoked?: string;
  srp?: Challenge;
}

export type Key = AuthKey<Standing>;
export type ClientSession = Session<Standing>;
