import type { Schema } from "#test/support/json-schema.ts";
import type { Operation } from "#test/support/openapi.ts";

type Body = Record<string, unknown>;

interface Own {
  /** Goes into names and texts, so that one's things are told from another's. */
  mark: string;
  account_id?: number;
}

export const isRecord = (value: unknown): value is Body => typeof value === "object" && value !== null && !Array.isArray(value);

/** The example body of an operation, made one's own; an empty one where there is none. */
export function exampleOf({ id, body }: Operation, own: Own): Body {
  if (body === null) return {};
  if (!isRecord(body.example)) throw new Error(`${id} takes a body and shows no example of it`);
  return personalize(body.example, body.schema, own);
}

function personalize(example: Body, { properties }: Schema, own: Own): Body {
  const schemas = (properties ?? {}) as Record<string, Schema>;
  return Object.fromEntries(Object.entries(example).map(([name, value]) => [name, personal(name, value, schemas[name] ?? {}, own)]));
}

function personal(name: string, value: unknown, schema: Schema, own: Own): unknown {
  if (name === "account_id" && own.account_id !== undefined) return own.account_id;
  if (name === "name" || name === "text" || name === "label")
    return schema.pattern === undefined ? `${String(value)} ${own.mark}` : own.mark;
  if (name === "key" && schema.pattern !== undefined) return own.mark.replaceAll("-", "_");
  // Another bot each time: one token is one bot.
  if (name === "token")
    return `${5_000_000_000 + (Array.from(own.mark).reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 1_000_000)}:${own.mark.padEnd(35, "x")}`;
  if (Array.isArray(value))
    return value.map((item: unknown) => (isRecord(item) ? personalize(item, (schema.items ?? {}) as Schema, own) : item));
  return isRecord(value) ? personalize(value, schema, own) : value;
}

/** The address of an operation with these in place of its path parameters. */
export function addressOf({ path }: Operation, id: string): string {
  return path.replaceAll(/\{\w+\}/g, encodeURIComponent(id));
}
