import type { tl } from "@mtcute/core";
import type { OutgoingFile } from "#src/modules/messages/channel.ts";
import type { Live } from "./live.ts";
import { upload } from "./upload.ts";

/** Where Telegram shall fetch a file it says itself what it is; ours is uploaded. */
export async function mediaOf(live: Live, file: OutgoingFile, signal: AbortSignal): Promise<tl.TypeInputMedia> {
  const { type, source, mime } = file;
  if ("url" in source) return { _: type === "photo" ? "inputMediaPhotoExternal" : "inputMediaDocumentExternal", url: source.url };
  const name = file.name ?? type;
  const uploaded = await upload(live, source.blob, name, signal);
  if (type === "photo") return { _: "inputMediaUploadedPhoto", file: uploaded };
  const mimeType = mime ?? (source.blob.type === "" ? "application/octet-stream" : source.blob.type);
  const isDocument = type === "document";
  return {
    _: "inputMediaUploadedDocument",
    file: uploaded,
    mimeType,
    attributes: attributesOf(file),
    // As a document a picture or a film stays what it is, byte by byte.
    ...(isDocument && { forceFile: true }),
  };
}

/** Telegram measures by itself what is 0 here. */
function attributesOf({ type, name }: OutgoingFile): tl.TypeDocumentAttribute[] {
  const shape = { duration: 0, w: 0, h: 0 };
  if (type === "voice") return [{ _: "documentAttributeAudio", voice: true, duration: 0 }];
  if (type === "video_note") return [{ _: "documentAttributeVideo", roundMessage: true, ...shape }];
  const named: tl.TypeDocumentAttribute[] = name === null ? [] : [{ _: "documentAttributeFilename", fileName: name }];
  if (type === "audio") return [{ _: "documentAttributeAudio", duration: 0 }, ...named];
  if (type === "video") return [{ _: "documentAttributeVideo", supportsStreaming: true, ...shape }, ...named];
  return type === "animation" ? [{ _: "documentAttributeAnimated" }, ...named] : named;
}

/** What an album is made of has to be Telegram's already. @returns null where Telegram made nothing of it that it could send */
export async function keepMedia(
  live: Live,
  peer: tl.TypeInputPeer,
  media: tl.TypeInputMedia,
  signal: AbortSignal,
): Promise<tl.TypeInputMedia | null> {
  const kept = await live.call({ _: "messages.uploadMedia", peer, media }, signal, { ms: KEEP_MS_MAX });
  if (kept._ === "messageMediaPhoto" && kept.photo?._ === "photo") return { _: "inputMediaPhoto", id: inputOf("inputPhoto", kept.photo) };
  if (kept._ === "messageMediaDocument" && kept.document?._ === "document") {
    return { _: "inputMediaDocument", id: inputOf("inputDocument", kept.document) };
  }
  return null;
}

/** Telegram may have to fetch it first. */
const KEEP_MS_MAX = 60_000;

function inputOf<Kind extends "inputPhoto" | "inputDocument">(
  kind: Kind,
  file: { id: tl.Long; accessHash: tl.Long; fileReference: Uint8Array },
) {
  const { id, accessHash, fileReference } = file;
  return { _: kind, id, accessHash, fileReference };
}
