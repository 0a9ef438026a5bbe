import { createHash, randomBytes } from "node:crypto";
import type { Bot, MediaKind, SentMedia } from "./model.ts";
import { sniff } from "./sniff.ts";

/** A file with its bytes. Its id is good for the bot that was given it alone. */
export interface StoredFile extends SentMedia {
  token: string;
  file_unique_id: string;
  file_path: string;
  bytes: Uint8Array;
  width: number;
  height: number;
}

/** The files of all bots. */
export interface Files {
  keep(bot: Pick<Bot, "token">, file: NewFile): StoredFile;
  find(bot: Pick<Bot, "token">, fileId: string): StoredFile | undefined;
  at(bot: Pick<Bot, "token">, path: string): StoredFile | undefined;
}

interface NewFile {
  kind: MediaKind;
  bytes: Uint8Array;
  name?: string | undefined;
  type?: string | undefined;
}

const FOLDERS: Record<MediaKind, string> = {
  photo: "photos",
  video: "videos",
  animation: "animations",
  audio: "music",
  voice: "voice",
  document: "documents",
  sticker: "stickers",
  video_note: "video_notes",
};
const ENDINGS: Record<MediaKind, string> = {
  photo: ".jpg",
  video: ".mp4",
  animation: ".mp4",
  audio: ".mp3",
  voice: ".oga",
  document: "",
  sticker: ".webp",
  video_note: ".mp4",
};
const TYPES: Record<MediaKind, string> = {
  photo: "image/jpeg",
  video: "video/mp4",
  animation: "video/mp4",
  audio: "audio/mpeg",
  voice: "audio/ogg",
  document: "application/octet-stream",
  sticker: "image/webp",
  video_note: "video/mp4",
};

export function createFiles(): Files {
  const byId = new Map<string, StoredFile>();
  const byPath = new Map<string, StoredFile>();
  return {
    keep({ token }, { kind, bytes, name, type }) {
      const { width, height } = sniff(bytes) ?? { width: 320, height: 240 };
      const file_path = `${FOLDERS[kind]}/file_${byPath.size}${name?.match(/\.\w+$/)?.[0] ?? ENDINGS[kind]}`;
      const file: StoredFile = {
        token,
        kind,
        bytes,
        name: name ?? file_path.split("/")[1] ?? "",
        type: type === undefined || type === "" || kind === "photo" ? TYPES[kind] : type,
        size: bytes.byteLength,
        sha256: createHash("sha256").update(bytes).digest("hex"),
        file_id: `AgACAgIAAx${randomBytes(32).toString("base64url")}`,
        file_unique_id: `AQAD${randomBytes(9).toString("base64url")}`,
        file_path,
        width,
        height,
      };
      byId.set(`${token} ${file.file_id}`, file);
      byPath.set(`${token} ${file_path}`, file);
      return file;
    },
    find: ({ token }, fileId) => byId.get(`${token} ${fileId}`),
    at: ({ token }, path) => byPath.get(`${token} ${path}`),
  };
}
