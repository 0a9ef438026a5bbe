import { u8 } from "@fuman/utils";
import type { Long } from "@mtcute/core";
import { createAesIgeForMessage } from "@mtcute/core/utils.js";
import { serialize, write } from "#test/support/data-center/tl/write.ts";
import { crypto } from "./crypto.ts";
import { random, sha256 } from "./hash.ts";
import type { AuthKey } from "./keys.ts";
import { createMessageIds, type MessageKind } from "./message-id.ts";

/** A client's session on the connection that it uses now. Lost with the connection, as the updates that go over it. */
export interface Session<Standing = unknown> {
  id: Long;
  key: AuthKey<Standing>;
  /** A client can ask for answers alone. */
  wantsUpdates: boolean;
  send(body: Uint8Array, kind: MessageKind, isContent?: boolean): void;
  sendObject(object: { _: string }, kind: MessageKind, isContent?: boolean): void;
  drop(): void;
}

/** What a session needs of its connection. */
export interface Link {
  send(packet: Uint8Array): void;
  drop(): void;
}

const HEAD_BYTES = 32;
const PADDING_BYTES_MIN = 12;

export function createSession<Standing>(id: Long, key: AuthKey<Standing>, link: Link): Session<Standing> {
  const nextMessageId = createMessageIds();
  let contentCount = 0;
  const send = (body: Uint8Array, kind: MessageKind, isContent = true) => {
    const unpadded = HEAD_BYTES + body.length + PADDING_BYTES_MIN;
    const padding = PADDING_BYTES_MIN + ((16 - (unpadded % 16)) % 16);
    const plain = write(HEAD_BYTES + body.length + padding, (writer) => {
      writer.long(key.salt);
      writer.long(id);
      writer.long(nextMessageId(kind));
      writer.int(contentCount * 2 + (isContent ? 1 : 0));
      writer.uint(body.length);
      writer.raw(body);
      writer.raw(random(padding));
    });
    if (isContent) contentCount++;
    const messageKey = sha256(key.bytes.subarray(96, 128), plain).subarray(8, 24);
    const encrypted = createAesIgeForMessage(crypto, key.bytes, messageKey, false).encrypt(plain);
    link.send(u8.concat([Buffer.from(key.id, "hex"), messageKey, encrypted]));
  };
  return {
    id,
    key,
    wantsUpdates: true,
    send,
    sendObject: (object, kind, isContent) => send(serialize(object), kind, isContent),
    drop: () => link.drop(),
  };
}
