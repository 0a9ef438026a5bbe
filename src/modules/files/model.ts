import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";

/** How a file appears in a chat. The last three are only received. */
const attachmentTypes = ["photo", "document", "video", "voice", "audio", "animation", "sticker", "video_note"] as const;
export type AttachmentType = (typeof attachmentTypes)[number];

export const FileId = Type.String({ pattern: idPattern("fil"), description: "Id of a file: `GET /v1/files/:id` has its bytes." });

const orNull = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>>(schema: T) => Type.Union([schema, Type.Null()]);

/** A file of a message. */
export const Attachment = Type.Object({
  type: Type.Union(attachmentTypes.map((type) => Type.Literal(type))),
  file_id: Type.Union([FileId, Type.Null()]),
  url: orNull(Type.String({ description: "Where Telegram was told to fetch it; null of a file of ours." })),
  name: orNull(Type.String()),
  mime: orNull(Type.String()),
  size: orNull(Type.Integer({ description: "Bytes." })),
  width: orNull(Type.Integer()),
  height: orNull(Type.Integer()),
  duration: orNull(Type.Integer({ description: "Seconds." })),
});
export type Attachment = Static<typeof Attachment>;

/** A file that a channel can fetch, as it tells of it with a message. */
export interface RemoteFile extends Omit<Attachment, "file_id" | "url"> {
  /** What the channel needs for fetching it; never shown to clients. */
  remote: string;
  /** Tells whether two are the same file, where the channel knows. */
  unique: string | null;
}

export const File = Type.Object(
  {
    id: FileId,
    name: orNull(Type.String()),
    type: Type.Union(
      attachmentTypes.map((type) => Type.Literal(type)),
      { description: "How it appears in a chat unless something else is asked for." },
    ),
    mime: orNull(Type.String({ description: "By its bytes; of a received file that nobody has read yet what the channel says." })),
    size: orNull(Type.Integer({ description: "Bytes." })),
    account_id: orNull(Type.Integer({ description: "By whom it was received; null of an upload." })),
    created_at: Type.String({ format: "date-time" }),
    updated_at: Type.String({ format: "date-time" }),
  },
  { $id: "File" },
);
export type File = Static<typeof File>;

/** Under which a file is in the folder. */
export const nameOf = ({ env_id, id }: { env_id: number; id: string }) => `${env_id}.${id}`;

/** Where the bytes of files are. Implemented by `plugins/files`. */
export interface FileFolder {
  /** Begins a file that is only to be seen once it is whole. @param part a name of its own while it grows */
  begin(part: string): Promise<GrowingFile>;
  /** @returns the bytes, not read yet; null where there are none of this name */
  open(name: string): Promise<Blob | null>;
  remove(name: string): Promise<void>;
  removePart(part: string): Promise<void>;
  /** Names of all that is there. */
  names(): AsyncIterable<string>;
  parts(): Promise<string[]>;
}

/** @throws AppError `unavailable` from each verb when the disk is full */
export interface GrowingFile {
  add(bytes: Uint8Array): Promise<void>;
  /** What has been added, also while there comes more. */
  read(from: number, most: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Makes it durable under its name. It can still be read until it is closed. */
  keep(name: string): Promise<void>;
  /** Without having been kept it is gone. */
  close(): Promise<void>;
}
