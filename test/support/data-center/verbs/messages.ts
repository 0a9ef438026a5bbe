import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { deleteLetters } from "#test/support/data-center/cloud/deleting.ts";
import type { Media } from "#test/support/data-center/cloud/files.ts";
import { edit, post } from "#test/support/data-center/cloud/letters.ts";
import type { User } from "#test/support/data-center/cloud/model.ts";
import { react } from "#test/support/data-center/cloud/reacting.ts";
import { read } from "#test/support/data-center/cloud/reading.ts";
import { bytesOf, presentEntry, type Bytes, type HistoryEntry, type PeerRef, type UserRef } from "#test/support/data-center/plain.ts";
import { tellTyping } from "#test/support/data-center/methods/typing.ts";
import { make } from "#test/support/data-center/tl/make.ts";
import { Long, type tl } from "@mtcute/core";
import { peersOf } from "./peers.ts";

/** What a message has beside its text. */
interface Extra {
  photo?: Bytes;
  location?: { latitude: number; longitude: number };
  contact?: { phone: string; firstName: string; lastName?: string; userId?: number };
  /** The same for all messages of an album. */
  albumId?: number;
  document?: { bytes: Bytes; fileName?: string; mimeType?: string };
  /** The number that the other message has for `to`. */
  replyTo?: number;
  topicId?: number;
  entities?: tl.TypeMessageEntity[];
  /** Unix time, seconds. */
  date?: number;
}

export interface MessageVerbs {
  /**
   * `from` writes to `to`, a user or a group. All are told, wherever they are logged in: so one's own telephone writes, too.
   * @returns the message as `to` has it
   */
  deliver(from: UserRef, to: PeerRef, text: string, extra?: Extra): HistoryEntry;
  /** The writer of the message that has this number for `owner` changes its text. */
  edit(owner: PeerRef, id: number, text: string): void;
  /** The writer of the message that has this number for `owner` deletes it for all. */
  remove(owner: PeerRef, id: number): void;
  /** Someone reacts to the message that has this number for `owner`; without emoji, no longer. */
  react(by: UserRef, owner: PeerRef, id: number, ...emoji: string[]): void;
  /** Someone reads the conversation with `peer`, up to the message with this number, or all. */
  read(reader: UserRef, peer: PeerRef, upTo?: number): void;
  typing(from: UserRef, to: PeerRef): void;
  /** Someone blocks a user. */
  block(by: UserRef, user: UserRef): void;
  /** Everything in a user's box, or a supergroup's, oldest first. */
  history(owner: PeerRef): HistoryEntry[];
  /** The file in the message that has this number for `owner`, in Base64. */
  fileOf(owner: PeerRef, id: number): string;
  /** Resolves once this method was called so often. */
  waitForCalls(method: string, count?: number, timeoutMs?: number): Promise<void>;
  /** Resolves once the box has so many messages. */
  waitForHistory(owner: PeerRef, count: number, timeoutMs?: number): Promise<void>;
}

export function messageVerbs(cloud: Cloud): MessageVerbs {
  const { changes, calls } = cloud;
  const { userOf, peerOf, boxOf, letterOf } = peersOf(cloud);
  return {
    deliver(from, to, text, { replyTo, topicId, entities, date, albumId, ...enclosed } = {}) {
      const sender = userOf(from);
      const media = mediaOf(cloud, sender, enclosed);
      const letter = post(cloud, {
        from: sender,
        to: peerOf(to),
        text,
        ...(media && { media }),
        ...(albumId !== undefined && { albumId: Long.fromNumber(albumId) }),
        ...(replyTo !== undefined && { replyTo: letterOf(to, replyTo) }),
        ...(topicId !== undefined && { topicId }),
        ...(entities && { entities }),
        ...(date !== undefined && { date }),
      });
      // A basic group has no box of its own.
      return presentEntry(letter, letter.to.kind === "chat" ? sender.box : letter.to.box);
    },
    edit: (owner, id, text) => edit(cloud, letterOf(owner, id), { text }),
    remove: (owner, id) => deleteLetters(cloud, [letterOf(owner, id)], boxOf(owner), { revoke: true }),
    react(by, owner, id, ...emoji) {
      const reactions = emoji.map((emoticon): tl.TypeReaction => ({ _: "reactionEmoji", emoticon }));
      react(cloud, letterOf(owner, id), userOf(by), reactions);
    },
    read: (reader, peer, upTo = 0) => read(cloud, userOf(reader), peerOf(peer), upTo),
    typing: (from, to) => tellTyping(cloud, userOf(from), peerOf(to), { _: "sendMessageTypingAction" }),
    block: (by, user) => void userOf(by).blocked.add(userOf(user)),
    history(owner) {
      const box = boxOf(owner);
      return [...box.letters.values()].map((letter) => presentEntry(letter, box));
    },
    fileOf(owner, id) {
      const { media } = letterOf(owner, id);
      if (media?.file === undefined) throw new Error(`message ${id} has no file`);
      return Buffer.from(media.file.bytes).toString("base64");
    },
    waitForCalls: (method, count = 1, timeoutMs) =>
      changes.waitFor(() => calls.filter((call) => call.method === method).length >= count, timeoutMs),
    waitForHistory: (owner, count, timeoutMs) => changes.waitFor(() => boxOf(owner).letters.size >= count, timeoutMs),
  };
}

type Enclosed = Pick<Extra, "photo" | "document" | "location" | "contact">;

function mediaOf({ files }: Cloud, { homeDc }: User, { photo, document, location, contact }: Enclosed): Media | undefined {
  if (photo !== undefined) return { file: files.add({ kind: "photo", dcId: homeDc, bytes: bytesOf(photo) }) };
  if (location !== undefined) {
    const geo = make("geoPoint", { lat: location.latitude, long: location.longitude });
    return { shown: make("messageMediaGeo", { geo }) };
  }
  if (contact !== undefined) {
    const { phone, ...known } = contact;
    return { shown: make("messageMediaContact", { ...known, phoneNumber: phone }) };
  }
  if (document === undefined) return undefined;
  const { bytes, fileName, mimeType } = document;
  const attributes = fileName === undefined ? [] : [{ _: "documentAttributeFilename", fileName } as const];
  return { file: files.add({ kind: "document", dcId: homeDc, bytes: bytesOf(bytes), attributes, ...(mimeType && { mimeType }) }) };
}
