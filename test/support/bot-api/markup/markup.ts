import type { Entity } from "#test/support/bot-api/model.ts";

/** A text without its markup, and what the markup said. */
export interface Marked {
  text: string;
  entities: Entity[];
}

/** Markup that Telegram would refuse. */
export class MarkupError extends Error {
  override name = "MarkupError";
}

/** Where something stands, in bytes of UTF-8, as Telegram's errors count. */
export function byteOffset(text: string, index: number): number {
  return Buffer.byteLength(text.slice(0, index));
}

/** In the order of the Bot API: by their beginning, and the outer before the inner. */
export function ordered(entities: Entity[]): Entity[] {
  return entities.filter(({ length }) => length > 0).toSorted((a, b) => a.offset - b.offset || b.length - a.length);
}
