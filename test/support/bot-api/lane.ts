import type { Update } from "./updates.ts";

interface Content {
  chat?: { id: number };
  message?: { chat: { id: number } };
}

/** What an update is about; Telegram keeps the order of updates within it: a chat, or the person where there is none. */
export function laneOf(update: Update): string {
  for (const value of Object.values(update)) {
    if (typeof value !== "object" || value === null) continue;
    const { chat, message } = value as Content;
    return String(chat?.id ?? message?.chat.id ?? "");
  }
  return "";
}
