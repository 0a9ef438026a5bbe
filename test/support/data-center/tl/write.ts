import type { Long } from "@mtcute/core";
import { __tlWriterMap, TlBinaryWriter } from "@mtcute/core/utils.js";
import { methodByName } from "./schema.ts";

const VECTOR = 0x1cb5c415;
const RESULT_BYTES_MAX = 4 << 20;

export function serialize(object: { _: string }): Uint8Array {
  return TlBinaryWriter.serializeObject(__tlWriterMap, object);
}

/** @param bytesMax what is written never takes more */
export function write(bytesMax: number, fill: (writer: TlBinaryWriter) => void): Uint8Array {
  const writer = TlBinaryWriter.alloc(__tlWriterMap, bytesMax);
  fill(writer);
  return writer.result().slice();
}

/** The answer of a method: an object, a truth value or a list. */
export function serializeResult(method: string, result: unknown): Uint8Array {
  if (typeof result === "boolean") return write(4, (writer) => writer.boolean(result));
  if (!Array.isArray(result)) return serialize(result as { _: string });
  const type = methodByName.get(method)?.type;
  return write(RESULT_BYTES_MAX, (writer) => {
    writer.uint(VECTOR);
    writer.uint(result.length);
    for (const item of result as unknown[]) {
      if (type === "int") writer.int(item as number);
      else if (type === "long") writer.long(item as Long);
      else writer.object(item);
    }
  });
}
