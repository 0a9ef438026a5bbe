import type { Profile } from "./channel.ts";
import { TEXT_MAX } from "./model.ts";

/** `{name}`, `{name|fallback}`, or `\{`: https://core.telegram.org/bots/api has no such thing; the syntax is ours. */
const variable = /\\\{|\{([A-Za-z_][A-Za-z0-9_]{0,63})(?:\|([^{}]*))?\}/g;

/** True when the text must be resolved before it is sent. */
export function hasVariables(text: string): boolean {
  return text.includes("{");
}

/** True when resolving needs to know the recipient. */
export function needsProfile(text: string): boolean {
  for (const match of text.matchAll(variable)) if (match[1] !== undefined) return true;
  return false;
}

export type Resolved = { text: string } | { missing: string };

/** Fills in what is known of the recipient, else the fallback; names the first variable that has neither. */
export function resolveText(text: string, profile: Profile | null): Resolved {
  const values = profile === null ? new Map<string, string>() : valuesOf(profile);
  let missing: string | undefined;
  const resolved = text.replace(variable, (whole, name: string | undefined, fallback: string | undefined) => {
    if (name === undefined) return "{";
    const value = values.get(name) ?? fallback;
    if (value === undefined) missing ??= name;
    return value ?? whole;
  });
  return missing === undefined ? { text: resolved } : { missing };
}

/** What is known; a map, since an object would also know `constructor`. */
function valuesOf({ first_name, last_name, username }: Profile): Map<string, string> {
  const values = new Map<string, string>();
  if (first_name !== null) values.set("first_name", first_name);
  if (last_name !== null) values.set("last_name", last_name);
  if (username !== null) values.set("username", username);
  const name = first_name === null || last_name === null ? (first_name ?? last_name) : `${first_name} ${last_name}`;
  if (name !== null && name !== "") values.set("name", name);
  return values;
}

/** @returns why Telegram would refuse a text whose variables are filled in; null when it would not */
export function faultOfText(text: string): string | null {
  if (text.trim() === "") return "With its variables nothing is left of the text.";
  return text.length > TEXT_MAX && lengthOf(text) > TEXT_MAX ? `With its variables the text has more than ${TEXT_MAX} characters.` : null;
}

/** Characters as Telegram counts them: code points, not UTF-16 units. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
