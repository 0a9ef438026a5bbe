import { __tlReaderMap, TlBinaryReader } from "@mtcute/core/utils.js";
import { memberOf, methodById, type Argument } from "./schema.ts";

/** What came off the wire: its `_` names the constructor or method. */
export type TlRecord = { _: string } & Record<string, unknown>;

export function readerOf(bytes: Uint8Array, start?: number): TlBinaryReader {
  return new TlBinaryReader(__tlReaderMap, bytes, start);
}

/** Reads a call of a method, which mtcute itself can only write, or any other object. */
export function readCall(reader: TlBinaryReader): TlRecord {
  const method = methodById.get(reader.peekUint() >>> 0);
  if (method === undefined) return reader.object() as TlRecord;
  reader.uint();
  const call: TlRecord = { _: method.name };
  const flags = new Map<string, number>();
  for (const argument of method.arguments) {
    if (argument.type === "#") flags.set(argument.name, reader.uint());
    else readArgument(reader, argument, flags, call);
  }
  return call;
}

function readArgument(reader: TlBinaryReader, argument: Argument, flags: Map<string, number>, call: TlRecord): void {
  const { type, typeModifiers: { predicate, isVector } = {} } = argument;
  if (predicate !== undefined) {
    const [field = "", bit] = predicate.split(".");
    const isSet = (((flags.get(field) ?? 0) >>> Number(bit)) & 1) === 1;
    if (type === "true") call[memberOf(argument)] = isSet;
    if (type === "true" || !isSet) return;
  }
  call[memberOf(argument)] = isVector ? reader.vector(() => readValue(reader, type)) : readValue(reader, type);
}

function readValue(reader: TlBinaryReader, type: string): unknown {
  switch (type) {
    case "int":
      return reader.int();
    case "int53":
      return reader.int53();
    case "long":
      return reader.long();
    case "int128":
      return reader.int128();
    case "int256":
      return reader.int256();
    case "double":
      return reader.double();
    case "string":
      return reader.string();
    case "bytes":
      return new Uint8Array(reader.bytes());
    case "Bool":
      return reader.boolean();
    case "!X":
      return readCall(reader);
    default:
      return reader.object();
  }
}
