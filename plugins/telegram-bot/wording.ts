import type { Message } from "grammy/types";
import type { ContactCard, Location } from "#src/modules/messages/model.ts";
import { plain } from "./plain.ts";

/** `/start`, in a group with the bot's name behind it; the payload is 1 to 64 of these: https://core.telegram.org/bots/features#deep-linking */
const START = /^\/start(?:@\w+)? ([\w-]{1,64})$/;

/** What a message says in words: its text or caption, or what stands in place of one. */
export function textOf(message: Message): string {
  const { text, caption, venue, dice, poll, checklist, game, rich_message } = message;
  if (text !== undefined) return plain(text);
  if (caption !== undefined) return plain(caption);
  if (venue !== undefined) return lines(venue.title, venue.address);
  if (dice !== undefined) return plain(dice.emoji);
  if (poll !== undefined) return lines(poll.question, ...poll.options.map((option) => `- ${option.text}`));
  if (checklist !== undefined) return lines(checklist.title, ...checklist.tasks.map((task) => `- ${task.text}`));
  if (game !== undefined) return plain(game.title);
  return rich_message === undefined ? "" : lines(...rich_message.blocks.flatMap(blockLines));
}

/** What stood behind `/start`, which a deep link has put there; null of any other text. */
export const startPayloadOf = (text: string): string | null => START.exec(text)?.[1] ?? null;

/** Where somebody is, or wants to meet. */
export function locationOf({ location, venue }: Message): Location | null {
  const found = location ?? venue?.location;
  return found === undefined ? null : { latitude: found.latitude, longitude: found.longitude };
}

export function contactCardOf({ contact }: Message): ContactCard | null {
  if (contact === undefined) return null;
  const { phone_number, first_name, last_name, user_id } = contact;
  return {
    phone: plain(phone_number),
    first_name: plain(first_name),
    last_name: last_name === undefined ? null : plain(last_name),
    telegram_id: user_id ?? null,
  };
}

/** Somebody has sent something of which no more can be told than that. */
export const isWordless = ({ story, paid_media }: Message): boolean => story !== undefined || paid_media !== undefined;

const lines = (...texts: string[]) => plain(texts.filter((text) => text !== "").join("\n"));

/** The words of a block, and of the blocks within it: https://core.telegram.org/bots/api#richmessage */
function blockLines(block: unknown): string[] {
  if (typeof block !== "object" || block === null) return [];
  const { text, blocks, items } = block as { text?: unknown; blocks?: unknown; items?: unknown };
  return [wordsOf(text), ...[blocks, items].flatMap((within) => (Array.isArray(within) ? within.flatMap(blockLines) : []))];
}

function wordsOf(text: unknown): string {
  if (typeof text === "string") return text;
  if (Array.isArray(text)) return text.map(wordsOf).join("");
  return typeof text === "object" && text !== null && "text" in text ? wordsOf(text.text) : "";
}
