import type { tl } from "@mtcute/core";
import type { Box } from "./cloud/box.ts";
import type { Media } from "./cloud/files.ts";
import type { Group, Letter, User } from "./cloud/model.ts";

/** A user or a group. */
export type PeerRef = Pick<User, "id">;
export type UserRef = Pick<User, "id">;
export type GroupRef = Pick<Group, "id">;
export type Person = Pick<User, "id" | "firstName" | "lastName" | "username" | "phone">;

/** One message as it stands in someone's box, or in a supergroup's. */
export interface HistoryEntry {
  /** Its number in this box. */
  id: number;
  /** A user's id. */
  from: number;
  /** A user's or a group's id. */
  to: number;
  text: string;
  /** Unix time, seconds. */
  date: number;
  /** What the sender's client gave it, by which a second one would be known. */
  randomId?: string;
  entities?: tl.TypeMessageEntity[];
  media?: PlainMedia;
  albumId?: string;
  /** A number in this box. */
  replyTo?: number;
  topicId?: number;
  isEdited?: true;
  /** Emoji by who chose them, as a user's id. */
  reactions?: Record<string, string[]>;
}

interface PlainMedia {
  /** `photo`, `document`, or the name that Telegram's API has for anything else. */
  kind: string;
  bytes?: number;
  mimeType?: string;
  fileName?: string;
  /** From where Telegram is said to have fetched it. */
  url?: string;
}

/** Bytes, or their Base64, as which they go to another process. */
export type Bytes = Uint8Array | string;

export function bytesOf(given: Bytes): Uint8Array {
  return typeof given === "string" ? new Uint8Array(Buffer.from(given, "base64")) : given;
}

export function presentPerson({ id, firstName, lastName, username, phone }: User): Person {
  return { id, firstName, ...(lastName && { lastName }), ...(username && { username }), ...(phone && { phone }) };
}

export function presentEntry(letter: Letter, box: Box): HistoryEntry {
  const { from, to, text, date, randomId, entities, media, albumId, replyTo, topicId, editDate, reactions, ids } = letter;
  const repliedId = replyTo?.ids.get(box);
  return {
    id: ids.get(box) ?? 0,
    from: from.id,
    to: to.id,
    text,
    date,
    ...(randomId && { randomId: randomId.toString() }),
    ...(entities && { entities }),
    ...(media && { media: plainMedia(media) }),
    ...(albumId && { albumId: albumId.toString() }),
    ...(repliedId !== undefined && { replyTo: repliedId }),
    ...(topicId !== undefined && { topicId }),
    ...(editDate !== undefined && { isEdited: true }),
    ...(reactions.size > 0 && { reactions: plainReactions(reactions) }),
  };
}

function plainMedia(media: Media): PlainMedia {
  if (media.file === undefined) return { kind: media.shown._ };
  const { kind, bytes, mimeType, attributes, url } = media.file;
  const named = attributes.find(({ _ }) => _ === "documentAttributeFilename");
  const fileName = named?._ === "documentAttributeFilename" ? named.fileName : undefined;
  return { kind, bytes: bytes.length, mimeType, ...(fileName !== undefined && { fileName }), ...(url !== undefined && { url }) };
}

function plainReactions(reactions: Letter["reactions"]): Record<string, string[]> {
  const chosen = [...reactions].map(([user, list]): [string, string[]] => [
    String(user.id),
    list.map((reaction) => (reaction._ === "reactionEmoji" ? reaction.emoticon : reaction._)),
  ]);
  return Object.fromEntries(chosen);
}
