import { emptiedContact, emptiedMerge, emptiedMessage, emptiedThread } from "./emptied.ts";

/** Operations whose kept answers show a contact or a message as it was. */
export const answering = [
  "contacts.upsert",
  "contacts.patch",
  "messages.cancel",
  "messages.edit",
  "messages.delete",
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
  if (operation.startsWith("messages.") || operation === "sandbox.inbound") return emptiedMessage(body);
  return operation === "contacts.upsert" || operation === "contacts.patch" ? emptiedContact(body) : emptiedMerge(body, id);
}
