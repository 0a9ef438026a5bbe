import { emptiedContact, emptiedMerge, emptiedMessage, emptiedThread } from "./emptied.ts";

/** Operations whose kept answers show a contact, a message or a conversation as it was, or name somebody. */
export const answering = [
  "contacts.upsert",
  "contacts.patch",
  "messages.cancel",
  "messages.edit",
  "messages.delete",
  "messages.preflight",
  "contacts.merge",
  "contacts.unmerge",
  "sandbox.inbound",
  "threads.patch",
  "threads.read",
  "threads.add_note",
] as const;

/** What such an answer held, with nothing of the person. @param id of the contact */
export function emptiedAnswer(operation: (typeof answering)[number], body: string, id: string): string {
  if (operation.startsWith("threads.")) return emptiedThread(body);
  // Of whom it was asked and what was said of each account: nothing of that stays.
  if (operation === "messages.preflight") return emptiedContact(body);
  if (operation.startsWith("messages.") || operation === "sandbox.inbound") return emptiedMessage(body);
  return operation === "contacts.upsert" || operation === "contacts.patch" ? emptiedContact(body) : emptiedMerge(body, id);
}
