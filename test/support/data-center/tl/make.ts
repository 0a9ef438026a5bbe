import { Long, type tl } from "@mtcute/core";
import { classByName, classOfType, memberOf, type Argument } from "./schema.ts";

type Name = tl.TlObject["_"];
type Named<N extends Name> = tl.FindByName<tl.TlObject, N>;
/** Members that are undefined are left out on the wire. */
type Part<N extends Name> = { [Member in keyof Named<N>]?: Named<N>[Member] | undefined };

/** An object of Telegram's API in which every mandatory member that is not given is empty. */
export function make<N extends Name>(name: N, part: Part<N> = {}): Named<N> {
  return fill(name, part) as unknown as Named<N>;
}

function fill(name: string, part: Record<string, unknown>): Record<string, unknown> {
  const entry = classByName.get(name);
  if (entry === undefined) throw new Error(`Telegram's API has no ${name}`);
  const object: Record<string, unknown> = { _: name };
  for (const argument of entry.arguments) {
    const member = memberOf(argument);
    const isOptional = argument.type === "#" || argument.typeModifiers?.predicate !== undefined;
    if (!isOptional && !(member in part)) object[member] = emptyOf(argument);
  }
  return Object.assign(object, part);
}

function emptyOf({ type, typeModifiers }: Argument): unknown {
  if (typeModifiers?.isVector) return [];
  switch (type) {
    case "Bool":
      return false;
    case "string":
      return "";
    case "bytes":
      return new Uint8Array();
    case "long":
      return Long.ZERO;
    case "int":
    case "int53":
    case "double":
      return 0;
    default:
      return fill(classOfType.get(type)?.name ?? type, {});
  }
}
