import { Long, type tl } from "@mtcute/core";
import type { Live } from "./live.ts";

/** https://core.telegram.org/api/files#uploading-files */
const PART_BYTES = 512 * 1_024;
const SMALL_BYTES_MAX = 10 * 1_024 * 1_024;
const PARTS_MAX = 4_000;
const PART_MS_MAX = 60_000;

/** The file is more than Telegram takes. */
export class TooLarge extends Error {
  override name = "TooLarge";
}

/** Uploads a file part by part, so that one part alone is in memory. */
export async function upload(live: Live, blob: Blob, name: string, signal: AbortSignal): Promise<tl.TypeInputFile> {
  const parts = Math.max(1, Math.ceil(blob.size / PART_BYTES));
  if (parts > PARTS_MAX) throw new TooLarge("The file is larger than the 2 GB that Telegram takes.");
  const id = Long.fromBytesLE([...crypto.getRandomValues(new Uint8Array(8))]);
  const isBig = blob.size > SMALL_BYTES_MAX;
  for (let part = 0; part < parts; part += 1) {
    const bytes = await blob.slice(part * PART_BYTES, (part + 1) * PART_BYTES).bytes();
    const common = { fileId: id, filePart: part, bytes };
    const request: tl.upload.RawSaveFilePartRequest | tl.upload.RawSaveBigFilePartRequest = isBig
      ? { _: "upload.saveBigFilePart", ...common, fileTotalParts: parts }
      : { _: "upload.saveFilePart", ...common };
    await live.call(request, signal, { ms: PART_MS_MAX, ...(parts > 1 && { kind: "upload" }) });
  }
  return isBig ? { _: "inputFileBig", id, parts, name } : { _: "inputFile", id, parts, name, md5Checksum: "" };
}
