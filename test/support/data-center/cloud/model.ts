import type { Long, tl } from "@mtcute/core";
import type { AuthKey } from "#test/support/data-center/wire/keys.ts";
import type { Session } from "#test/support/data-center/wire/session.ts";
import type { Box } from "./box.ts";
import type { Password } from "./password.ts";

/** Someone with a Telegram account. */
export interface User {
  kind: "user";
  id: number;
  firstName: string;
  lastName?: string;
  username?: string;
  /** Digits alone. Others see it only if it is public. */
  phone?: string;
  isBot: boolean;
  homeDc: number;
  password?: Password;
  box: Box;
  /** Random ids of what was sent, of which Telegram takes each once. */
  randomIds: Set<string>;
  /** What refuses those who write to this user, as `USER_PRIVACY_RESTRICTED`. */
  refuses?: string;
}

/** One message, of which everyone in the conversation has a copy with a number of its own. */
export interface Letter {
  from: User;
  /** The other one of a private conversation. */
  to: User;
  /** Unix time, seconds. */
  date: number;
  text: string;
  entities?: tl.TypeMessageEntity[];
  randomId?: Long;
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
  srp?: { exponent: bigint; b: Uint8Array; id: Long };
}

export type Key = AuthKey<Standing>;
export type ClientSession = Session<Standing>;
