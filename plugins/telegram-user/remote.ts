import { Long } from "@mtcute/core";
import type { tl } from "@mtcute/core";
import type { MetAt } from "./media.ts";

/** What is needed to fetch a file, and to ask for its reference again. */
export interface Remote {
  kind: "photo" | "document";
  dc: number;
  size: number;
  at: MetAt;
  location: tl.RawInputPhotoFileLocation | tl.RawInputDocumentFileLocation;
}

interface Met {
  kind: Remote["kind"];
  dc: number;
  file: { id: tl.Long; accessHash: tl.Long; fileReference: Uint8Array };
  thumb: string;
  size: number;
  at: MetAt;
}

export function remoteOf({ kind, dc, file, thumb, size, at }: Met): string {
  const { id, accessHash, fileReference } = file;
  const reference = Buffer.from(fileReference).toString("base64");
  return JSON.stringify([1, kind, dc, id.toString(), accessHash.toString(), reference, thumb, size, at.chat, at.message]);
}

/** @returns null where it is not one of ours */
export function readRemote(text: string): Remote | null {
  try {
    const [version, kind, dc, id, hash, reference, thumbSize, size, chat, message] = JSON.parse(text) as [
      number,
      Remote["kind"],
      number,
      string,
      string,
      string,
      string,
      number,
      number,
      number,
    ];
    if (version !== 1) return null;
    const type = kind === "photo" ? "inputPhotoFileLocation" : "inputDocumentFileLocation";
    const fileReference = new Uint8Array(Buffer.from(reference, "base64"));
    const location = { _: type, id: Long.fromString(id), accessHash: Long.fromString(hash), fileReference, thumbSize } as const;
    return { kind, dc, size, at: { chat, message }, location };
  } catch {
    return null;
  }
}
