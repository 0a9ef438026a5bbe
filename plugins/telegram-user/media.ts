import type { tl } from "@mtcute/core";
import { getMarkedPeerId } from "@mtcute/core";
import type { Enclosed } from "#src/modules/connections/model.ts";
import type { AttachmentType, RemoteFile } from "#src/modules/files/model.ts";
import { remoteOf } from "./remote.ts";

/** What a message holds beside its text. */
export function enclosedOf(message: tl.RawMessage): Enclosed {
  const { media, groupedId } = message;
  return {
    files: filesOf(message),
    location: locationOf(media),
    contact_card: cardOf(media),
    album_id: groupedId === undefined ? null : groupedId.toString(),
  };
}

export function filesOf({ id, peerId, media }: tl.RawMessage): RemoteFile[] {
  const at = { chat: getMarkedPeerId(peerId), message: id };
  if (media?._ === "messageMediaPhoto" && media.photo?._ === "photo") return photoOf(media.photo, at);
  if (media?._ === "messageMediaDocument" && media.document?._ === "document") return [documentOf(media.document, at)];
  return [];
}

/** Where a file was met: its reference expires, and is renewed by asking for that message. */
export interface MetAt {
  chat: number;
  message: number;
}

function photoOf(photo: tl.RawPhoto, at: MetAt): RemoteFile[] {
  const sizes = photo.sizes.map(sizeOf).filter((size) => size !== null);
  const largest = sizes.toSorted((a, b) => b.w * b.h - a.w * a.h)[0];
  if (largest === undefined) return [];
  const { type, w, h, bytes } = largest;
  const remote = remoteOf({ kind: "photo", dc: photo.dcId, file: photo, thumb: type, size: bytes, at });
  return [{ ...bare, type: "photo", remote, unique: photo.id.toString(), mime: "image/jpeg", size: bytes, width: w, height: h }];
}

const bare = { name: null, mime: null, size: null, width: null, height: null, duration: null };

function sizeOf(size: tl.TypePhotoSize): { type: string; w: number; h: number; bytes: number } | null {
  if (size._ === "photoSize") return { type: size.type, w: size.w, h: size.h, bytes: size.size };
  if (size._ === "photoSizeProgressive") return { type: size.type, w: size.w, h: size.h, bytes: size.sizes.at(-1) ?? 0 };
  return null;
}

function documentOf(document: tl.RawDocument, at: MetAt): RemoteFile {
  const { attributes, mimeType, size } = document;
  const shape = attributes.find((one) => one._ === "documentAttributeVideo" || one._ === "documentAttributeImageSize");
  const timed = attributes.find((one) => one._ === "documentAttributeVideo" || one._ === "documentAttributeAudio");
  const name = attributes.find((one) => one._ === "documentAttributeFilename")?.fileName;
  return {
    type: typeOf(attributes),
    remote: remoteOf({ kind: "document", dc: document.dcId, file: document, thumb: "", size, at }),
    unique: document.id.toString(),
    name: name ?? null,
    mime: mimeType === "" ? null : mimeType,
    size,
    width: shape?.w ?? null,
    height: shape?.h ?? null,
    duration: timed === undefined ? null : Math.round(timed.duration),
  };
}

function typeOf(attributes: readonly tl.TypeDocumentAttribute[]): AttachmentType {
  const has = (kind: tl.TypeDocumentAttribute["_"]) => attributes.find((one) => one._ === kind);
  const video = has("documentAttributeVideo");
  const audio = has("documentAttributeAudio");
  if (has("documentAttributeSticker") !== undefined) return "sticker";
  if (has("documentAttributeAnimated") !== undefined) return "animation";
  if (video?._ === "documentAttributeVideo") return video.roundMessage === true ? "video_note" : "video";
  if (audio?._ === "documentAttributeAudio") return audio.voice === true ? "voice" : "audio";
  return "document";
}

function locationOf(media: tl.TypeMessageMedia | undefined): Enclosed["location"] {
  const isPlace = media?._ === "messageMediaGeo" || media?._ === "messageMediaGeoLive" || media?._ === "messageMediaVenue";
  if (!isPlace || media.geo._ !== "geoPoint") return null;
  return { latitude: media.geo.lat, longitude: media.geo.long };
}

function cardOf(media: tl.TypeMessageMedia | undefined): Enclosed["contact_card"] {
  if (media?._ !== "messageMediaContact") return null;
  const { phoneNumber, firstName, lastName, userId } = media;
  return {
    phone: phoneNumber,
    first_name: firstName,
    last_name: lastName === "" ? null : lastName,
    telegram_id: userId === 0 ? null : userId,
  };
}
