import { replaceLinks } from "#src/core/links.ts";
import { checkText } from "./compose.ts";
import type { SendMessage } from "./model.ts";

/** Gives another address in the place of a link's; the same leaves it. */
export type Relink = (address: string) => string;

/** @returns the request with other addresses behind its buttons */
export function relinkButtons(ask: SendMessage, relink: Relink): SendMessage {
  if (ask.buttons === undefined) return ask;
  return {
    ...ask,
    buttons: ask.buttons.map((row) => row.map((button) => (button.url === undefined ? button : { ...button, url: relink(button.url) }))),
  };
}

/** @returns the text with other addresses @throws AppError `validation_error` where it is too long by them */
export function relinkText(text: string, ask: SendMessage, relink: Relink): string {
  const changed = replaceLinks(text, ask.parse_mode ?? null, relink);
  if (changed !== text) checkText(changed, ask.template_id === undefined ? "text" : "template_id", ask);
  return changed;
}
