import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";

/** What events of messages tell of the conversation. */
export const ThreadBrief = Type.Object({
  id: Type.String({ pattern: idPattern("th") }),
  topic_id: Type.Union([Type.String(), Type.Null()], { description: "Of a forum's topic." }),
  title: Type.Union([Type.String(), Type.Null()], { description: "Of a group or a topic; of a private chat the person's name." }),
});
export type ThreadBrief = Static<typeof ThreadBrief>;

/** A conversation's address: a chat of an account, and in a forum a topic of it. */
export interface ThreadPlace {
  account_id: number;
  chat_id: string;
  /** Null outside of forums. */
  topic_id: string | null;
}

/** A message that belongs to a conversation, which begins with it if need be. */
export interface ThreadNews extends ThreadPlace {
  channel: string;
  /** `private`, `group`, `supergroup`, `channel`. */
  type: string;
  title: string | null;
  /** Of a private chat, in lower case. */
  username: string | null;
  /** Of a private chat. */
  contact_id: string | null;
  message_id: string;
  /** Ms. */
  at: number;
}
