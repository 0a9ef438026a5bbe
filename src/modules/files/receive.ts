import { AppError, invalidField } from "#src/core/errors.ts";
import type { FileFolder } from "./model.ts";
import { sniff, SNIFFED_BYTES, type Sniffed } from "./sniff.ts";

/** https://core.telegram.org/bots/api#sending-files */
export const FILE_BYTES_MAX = 50_000_000;

export interface Taken extends Sniffed {
  size: number;
  /** Of its bytes: equal files have equal ones. */
  digest: string;
}

/**
 * Takes a file in, no faster than the disk does, and keeps it under its name.
 * @throws AppError `payload_too_large`, `validation_error` for an empty one, `unavailable` when the disk is full; what the stream
 * throws. Then nothing of it stays
 */
export async function receive(folder: FileFolder, bytes: AsyncIterable<Uint8Array>, place: { part: string; name: string }): Promise<Taken> {
  const hasher = new Bun.CryptoHasher("sha256");
  const file = await folder.begin(place.part);
  try {
    let size = 0;
    for await (const some of bytes) {
      size += some.byteLength;
      if (size > FILE_BYTES_MAX) throw tooLarge();
      hasher.update(some);
      await file.add(some);
    }
    if (size === 0) throw invalidField("file", "required", "The file is empty.");
    const sniffed = await sniff(await file.read(0, SNIFFED_BYTES));
    await file.keep(place.name);
    return { ...sniffed, size, digest: hasher.digest("base64url") };
  } finally {
    await file.close();
  }
}

function tooLarge(): AppError {
  return new AppError("payload_too_large", `The file is larger than ${FILE_BYTES_MAX / 1_000_000} MB, which is what a bot can send.`);
}
