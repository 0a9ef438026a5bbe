import type { Message, PaidMedia, PhotoSize } from "grammy/types";
import type { RemoteFile } from "#src/modules/files/model.ts";
import { plain } from "./plain.ts";

/** What the Bot API tells of a file, in whichever of its forms. */
interface Told {
  file_id: string;
  file_unique_id: string;
  file_size?: number;
  file_name?: string;
  mime_type?: string;
  width?: number;
  height?: number;
  /** Of a round video, which is as wide as it is high. */
  length?: number;
  duration?: number;
}

/** The files of a message: one, unless it is paid for. */
export function filesOf(message: Message): RemoteFile[] {
  const { photo, live_photo, video, voice, audio, animation, document, sticker, video_note, paid_media } = message;
  if (live_photo !== undefined) return [fileOf("video", live_photo)];
  if (photo !== undefined) return photoOf(photo);
  if (video !== undefined) return [fileOf("video", video)];
  if (voice !== undefined) return [fileOf("voice", voice)];
  if (audio !== undefined) return [fileOf("audio", audio)];
  // An animation stands there as a document too, for old clients.
  if (animation !== undefined) return [fileOf("animation", animation)];
  if (document !== undefined) return [fileOf("document", document)];
  if (sticker !== undefined) return [fileOf("sticker", sticker)];
  if (video_note !== undefined) return [fileOf("video_note", video_note)];
  return paid_media?.paid_media.flatMap(paidFileOf) ?? [];
}

function paidFileOf(media: PaidMedia): RemoteFile[] {
  switch (media.type) {
    case "photo":
      return photoOf(media.photo);
    case "video":
      return [fileOf("video", media.video)];
    case "live_photo":
      return [fileOf("video", media.live_photo)];
    case "preview":
    default:
      return [];
  }
}

/** A photo comes in several sizes, of which the largest is the photo. */
function photoOf(sizes: readonly PhotoSize[]): RemoteFile[] {
  const largest = sizes.toSorted((a, b) => b.width * b.height - a.width * a.height)[0];
  // Telegram makes JPEG of all photos.
  return largest === undefined ? [] : [fileOf("photo", { ...largest, mime_type: "image/jpeg" })];
}

function fileOf(type: RemoteFile["type"], told: Told): RemoteFile {
  if (typeof told.file_id !== "string" || told.file_id === "") throw new TypeError("a file without an id");
  return {
    type,
    name: told.file_name === undefined ? null : plain(told.file_name),
    mime: told.mime_type === undefined ? null : plain(told.mime_type),
    size: told.file_size ?? null,
    width: told.width ?? told.length ?? null,
    height: told.height ?? told.length ?? null,
    duration: told.duration ?? null,
    remote: told.file_id,
    unique: told.file_unique_id ?? null,
  };
}
