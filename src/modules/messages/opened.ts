import type { Attachment } from "#src/modules/files/model.ts";
import type { ChannelAccount, Outgoing, OutgoingFile, Refusal } from "./channel.ts";
import type { Content } from "./model.ts";

/** The verb that sending uses of files. */
export interface OpenFiles {
  /** A file's bytes, not read yet; what is only at the channel is fetched from there first. `gone`: there is no such file any more. */
  open(env_id: number, id: string, signal: AbortSignal): Promise<{ kind: "here"; blob: Blob } | { kind: "gone" } | Refusal>;
}

type Enclosed = Pick<Outgoing, "parse_mode" | "files" | "buttons">;

/** Of a text and nothing else. */
export const nothingEnclosed: Enclosed = { parse_mode: null, files: [], buttons: [] };

/** What a message holds beside its text, as it is kept. */
export function enclosedIn(content: string): Content {
  return JSON.parse(content) as Content;
}

/** Opens the files of a message for sending. @returns what its channel is given, or why it can't be sent */
export async function openEnclosed(
  files: OpenFiles,
  { env_id }: ChannelAccount,
  { parse_mode = null, attachments = [], buttons = [] }: Content,
  signal: AbortSignal,
): Promise<{ kind: "opened"; enclosed: Enclosed } | Refusal> {
  const opened: OutgoingFile[] = [];
  for (const attachment of attachments) {
    const source = await sourceOf(files, env_id, attachment, signal);
    if ("kind" in source) return source;
    const { type, name, mime } = attachment;
    opened.push({ type, name, mime, source });
  }
  return { kind: "opened", enclosed: { parse_mode, files: opened, buttons } };
}

async function sourceOf(
  files: OpenFiles,
  env_id: number,
  { file_id, url }: Attachment,
  signal: AbortSignal,
): Promise<OutgoingFile["source"] | Refusal> {
  if (file_id === null) return { url: url ?? "" };
  const found = await files.open(env_id, file_id, signal);
  if (found.kind === "here") return { blob: found.blob };
  if (found.kind !== "gone") return found;
  return { kind: "failed", code: "message_rejected", message: `The file ${file_id} is no longer there.`, link: null };
}
