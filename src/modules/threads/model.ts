import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import { SendMessage } from "#src/modules/messages/model.ts";

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

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
/** Of the last message so much is shown. */
export const EXCERPT_MAX = 200;

export const threadTypes = ["private", "group", "supergroup", "channel"] as const;

export const Thread = Type.Object(
  {
    id: ThreadBrief.properties.id,
    channel: Type.String(),
    account_id: Type.Integer(),
    type: Type.Union(threadTypes.map((type) => Type.Literal(type))),
    title: ThreadBrief.properties.title,
    username: Type.Union([Type.String(), Type.Null()], { description: "Of a private chat, without `@`." }),
    topic_id: ThreadBrief.properties.topic_id,
    contact_id: Type.Union([Type.String(), Type.Null()], { description: "Of a private chat." }),
    unread: Type.Integer({ description: "Messages received since it was read." }),
    archived: Type.Boolean({ description: "A message that is received ends it." }),
    last_message: Type.Union([
      Type.Object({
        id: Type.String({ pattern: idPattern("msg") }),
        direction: Type.Union([Type.Literal("out"), Type.Literal("in")]),
        text: Type.String({ description: `The first ${EXCERPT_MAX} characters.` }),
        at: time,
        status: Type.String(),
      }),
      Type.Null(),
    ]),
    created_at: time,
    updated_at: time,
  },
  { $id: "Thread" },
);
export type Thread = Static<typeof Thread>;

const { last_message: _last, ...ofHeld } = Thread.properties;
/** A thread without what was written in it. */
export const HeldThread = Type.Object(ofHeld);
export type HeldThread = Static<typeof HeldThread>;

export const ThreadPatch = Type.Object({ archived: Type.Optional(Type.Boolean()) }, { additionalProperties: false });
export type ThreadPatch = Static<typeof ThreadPatch>;

const { account_id: _account, to: _to, ...ofReply } = SendMessage.properties;
/** A message without its account and recipient: those of the thread. */
export const Reply = Type.Object(ofReply, { additionalProperties: false });
export type Reply = Static<typeof Reply>;

export const NewNote = Type.Object({ text: Type.String({ minLength: 1, maxLength: 10_000 }) }, { additionalProperties: false });
export type NewNote = Static<typeof NewNote>;

export const ThreadNote = Type.Object(
  {
    id: Type.String({ pattern: idPattern("note") }),
    thread_id: ThreadBrief.properties.id,
    text: Type.String(),
    actor: Type.String({ description: "The key that made it." }),
    created_at: time,
  },
  { $id: "ThreadNote" },
);
export type ThreadNote = Static<typeof ThreadNote>;

/** What a list of threads can be narrowed by. */
export interface ThreadFilter {
  account_id?: number;
  contact_id?: string;
  unread?: boolean;
  archived?: boolean;
  type?: (typeof threadTypes)[number];
}
