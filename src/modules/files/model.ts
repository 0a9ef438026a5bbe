import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";

/** How a file appears in a chat. The last three are only received. */
export const attachmentTypes = ["photo", "document", "video", "voice", "audio", "animation", "sticker", "video_note"] as const;
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
