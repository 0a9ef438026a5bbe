import { badRequest, BotApiFailure } from "./failure.ts";
import type { StoredFile } from "./files.ts";
import type { Call } from "./methods/call.ts";
import type { MediaKind, SentMedia } from "./model.ts";
import { sniff } from "./sniff.ts";

const MIB = 1_048_576;
const UPLOAD_BYTES_MAX = 50 * MIB;
const PHOTO_BYTES_MAX = 10 * MIB;
const URL_BYTES_MAX = 20 * MIB;
const URL_PHOTO_BYTES_MAX = 5 * MIB;
/** Of width and height together. */
const PHOTO_SIDES_MAX = 10_000;
const PHOTO_RATIO_MAX = 20;

/**
 * The file that a call sends: a part of its body, `attach://` one, an address or a file id.
 * https://core.telegram.org/bots/api#sending-files
 * @param given what stands in the field; undefined where the part itself has its name
 * @throws BotApiFailure when Telegram would not take it
 */
export async function mediaOf(call: Call, kind: MediaKind, given: string | undefined, part?: File): Promise<StoredFile> {
  const attached = given?.startsWith("attach://") ? call.params.file(given.slice("attach://".length)) : part;
  if (attached !== undefined) return upload(call, kind, attached);
  if (given === undefined || given === "") throw badRequest(`there is no ${kind} in the request`);
  if (given.startsWith("attach://")) throw badRequest("wrong file identifier/HTTP URL specified");
  if (/^https?:/.test(given)) return download(call, kind, given);
  const known = call.emulation.files.find(call.bot, given);
  if (known === undefined) throw badRequest("wrong file identifier/HTTP URL specified");
  if (known.kind !== kind) throw badRequest(`can't use file of type ${typeName(known.kind)} as ${typeName(kind)}`);
  return known;
}

async function upload({ bot, emulation }: Call, kind: MediaKind, part: File): Promise<StoredFile> {
  if (part.size > UPLOAD_BYTES_MAX) throw new BotApiFailure(413, "Request Entity Too Large");
  if (part.size === 0) throw badRequest("file must be non-empty");
  if (kind === "photo" && part.size > PHOTO_BYTES_MAX) {
    throw badRequest(`file of size ${part.size} bytes is too big for a photo; the maximum size is ${PHOTO_BYTES_MAX} bytes`);
  }
  const bytes = await part.bytes();
  if (kind === "photo") checkPhoto(bytes);
  return emulation.files.keep(bot, { kind, bytes, name: part.name, type: part.type });
}

async function download({ bot, emulation }: Call, kind: MediaKind, url: string): Promise<StoredFile> {
  const response = await fetch(url).catch(() => null);
  if (response?.ok !== true) throw badRequest("failed to get HTTP URL content");
  const type = response.headers.get("content-type")?.split(";")[0];
  const bytes = await response.bytes();
  if (type === "text/html") throw badRequest("wrong type of the web page content");
  if (bytes.length === 0 || bytes.length > (kind === "photo" ? URL_PHOTO_BYTES_MAX : URL_BYTES_MAX)) {
    throw badRequest("failed to get HTTP URL content");
  }
  if (kind === "photo" && sniff(bytes) === undefined) throw badRequest("wrong type of the web page content");
  return emulation.files.keep(bot, { kind, bytes, name: new URL(url).pathname.split("/").at(-1), type });
}

function checkPhoto(bytes: Uint8Array): void {
  const size = sniff(bytes);
  if (size === undefined) throw badRequest("IMAGE_PROCESS_FAILED");
  const { width, height } = size;
  const isOdd = width + height > PHOTO_SIDES_MAX || Math.max(width / height, height / width) > PHOTO_RATIO_MAX;
  if (isOdd) throw badRequest("PHOTO_INVALID_DIMENSIONS");
}

const typeName = (kind: MediaKind) => (kind === "voice" ? "VoiceNote" : kind === "video_note" ? "VideoNote" : capitalized(kind));
const capitalized = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** The part of a message that holds the file. */
export function presentMedia(file: StoredFile): Record<string, unknown> {
  const { kind, file_id, file_unique_id, name, type: mime_type, size: file_size, width, height } = file;
  const ids = { file_id, file_unique_id, file_size };
  switch (kind) {
    case "photo":
      return { photo: [thumbnailOf(file), { ...ids, width, height }] };
    case "sticker":
      return { sticker: { ...ids, type: "regular", width, height, is_animated: false, is_video: false, emoji: "🙂" } };
    case "voice":
      return { voice: { ...ids, duration: 1, mime_type } };
    case "video_note":
      return { video_note: { ...ids, length: 240, duration: 1 } };
    case "document":
      return { document: { ...ids, file_name: name, mime_type } };
    case "audio":
      return { audio: { ...ids, duration: 1, file_name: name, mime_type } };
    case "animation": {
      const animation = { ...ids, width, height, duration: 1, file_name: name, mime_type };
      // For old clients: https://core.telegram.org/bots/api#message
      return { animation, document: { ...ids, file_name: name, mime_type } };
    }
    case "video":
    default:
      return { video: { ...ids, width, height, duration: 1, file_name: name, mime_type } };
  }
}

/** A photo comes in several sizes, the largest last; the small one here has an id, but no bytes of its own. */
function thumbnailOf({ file_id, file_unique_id, width, height }: StoredFile) {
  const scale = Math.min(1, 90 / Math.max(width, height));
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  return { file_id: `${file_id}-s`, file_unique_id: `${file_unique_id}s`, file_size: 1, width: side(width), height: side(height) };
}

/** What is told of a file that was sent. */
export function sentMedia({ kind, file_id, name, type, size, sha256 }: StoredFile): SentMedia {
  return { kind, file_id, name, type, size, sha256 };
}
