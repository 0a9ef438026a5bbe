import { isUtf8 } from "node:buffer";
import { fileTypeFromBuffer } from "file-type";
import type { AttachmentType } from "./model.ts";

/** So much of a file's beginning tells what it is. */
export const SNIFFED_BYTES = 65_536;

export interface Sniffed {
  mime: string;
  /** How it appears in a chat. */
  type: AttachmentType;
  /** For a name, where it has none. */
  extension: string;
}

const types: Readonly<Record<string, AttachmentType>> = {
  ...{ "image/jpeg": "photo", "image/png": "photo", "image/webp": "photo", "image/gif": "animation" },
  ...{ "video/mp4": "video", "audio/mpeg": "audio", "audio/mp4": "audio", "audio/x-m4a": "audio", "audio/ogg": "voice" },
};

/** What a file is by its bytes, whatever anybody says. @param head its beginning, of `SNIFFED_BYTES` unless it is shorter */
export async function sniff(head: Uint8Array): Promise<Sniffed> {
  const found = await fileTypeFromBuffer(head).catch(() => undefined);
  if (found === undefined) return isText(head) ? text : unknown;
  // What stands behind it, such as the codec, is for players.
  const mime = found.mime.split(";")[0]!.trim();
  return { mime, type: types[mime] ?? "document", extension: found.ext };
}

const text: Sniffed = { mime: "text/plain", type: "document", extension: "txt" };
const unknown: Sniffed = { mime: "application/octet-stream", type: "document", extension: "bin" };

function isText(head: Uint8Array): boolean {
  // The last character may be cut.
  const ends = [0, 1, 2, 3].map((cut) => head.subarray(0, head.byteLength - cut));
  return !head.includes(0) && ends.some((bytes) => isUtf8(bytes));
}
