import type { Markup } from "#src/core/markup.ts";
import { fillVariables, NOBODY, partsOf } from "#src/core/variables.ts";
import type { Profile } from "./channel.ts";
import type { ContactVariables } from "./contacts.ts";
import { readMarkup } from "./markup.ts";
import { TEXT_MAX } from "./model.ts";

/** True when the text must be resolved before it is sent. */
export function hasVariables(text: string): boolean {
  return text.includes("{");
}

/** True when resolving needs to know of the recipient what the contact does not tell. */
export function needsProfile(text: string, contact: ContactVariables, markup: Markup | null = null): boolean {
  if (!hasVariables(text)) return false;
  for (const part of partsOf(text, markup))
    if (typeof part !== "string" && part.name !== NOBODY && !Object.hasOwn(contact, part.name)) return true;
  return false;
}

export type Resolved = { text: string } | { missing: string };

/** Fills in what is known of the contact, else of the recipient, else the fallback; names the first variable that has none. */
export function resolveText(text: string, contact: ContactVariables, profile: Profile | null, markup: Markup | null = null): Resolved {
  if (!hasVariables(text)) return { text };
  let missing: string | undefined;
  const resolved = fillVariables(
    text,
    (name) => (Object.hasOwn(contact, name) ? contact[name] : valueOf(profile, name)),
    (name) => (missing ??= name),
    markup,
  );
  return missing === undefined ? { text: resolved } : { missing };
}

function valueOf(profile: Profile | null, name: string): string | undefined {
  if (profile === null) return undefined;
  const { first_name, last_name, username } = profile;
  switch (name) {
    case "first_name":
      return first_name ?? undefined;
    case "last_name":
      return last_name ?? undefined;
    case "username":
      return username ?? undefined;
    case "name":
      return [first_name, last_name].filter((part) => part !== null && part !== "").join(" ") || undefined;
    default:
      return undefined;
  }
}

/** @returns why Telegram would refuse a text whose variables are filled in; null when it would not */
export function faultOfText(text: string): string | null {
  return faultOfPlain(text, TEXT_MAX);
}

/**
 * The same of a text with markup, or of one beside files.
 * @param most characters, once the markup is taken out
 */
export function faultOfRich(text: string, markup: Markup | null, most: number, mayBeEmpty: boolean): string | null {
  if (text === "" && mayBeEmpty) return null;
  const read = markup === null ? { text } : readMarkup(text, markup);
  return "fault" in read ? read.fault : faultOfPlain(read.text, most);
}

function faultOfPlain(text: string, most: number): string | null {
  if (text.trim() === "") return "With its variables nothing is left of the text.";
  return text.length > most && lengthOf(text) > most ? `With its variables the text has more than ${most} characters.` : null;
}

/** Characters as Telegram counts them: code points, not UTF-16 units. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
