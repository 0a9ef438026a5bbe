type Members = Record<string, unknown>;

/** Of a contact nothing is left but that it was there, and when. */
const keptOfContact = new Set([
  "id",
  "contact_id",
  "number",
  "created",
  "created_at",
  "updated_at",
  "merge_id",
  "merged_id",
  "merged_number",
]);
/** Of a message what is counted. */
const keptOfMessage = new Set([
  ...["id", "channel", "account_id", "direction", "status", "eta", "schedule_at", "expires_at", "silent"],
  ...["created_at", "sent_at", "delivered_at", "read_at", "edited_at", "deleted_at", "updated_at"],
]);

const keptOfThread = new Set([
  ...["id", "thread_id", "channel", "account_id", "type", "unread", "archived", "actor", "created_at", "updated_at"],
]);

/** In the place of a recipient who was erased. */
export const ERASED = "erased";

/** A contact as an event or a kept answer holds it, in the same shape, with nothing of the person. Also of members of later versions. */
export function emptiedContact(json: string): string {
  return JSON.stringify(emptied(JSON.parse(json) as Members, keptOfContact));
}

/** What an event about a contact holds: the contact, a message that is not known, or the contact's part in a sequence. */
export function emptiedEvent(json: string): string {
  const data = JSON.parse(json) as Members;
  if ("direction" in data) return emptiedMessage(json);
  if ("enrollment" in data || "enrollment_id" in data) return emptiedStep(data);
  return emptiedContact(json);
}

/** Ids, times and steps stay, as they do of messages; what a step tells of the contact goes. */
function emptiedStep(data: Members): string {
  return JSON.stringify({ ...data, ...("contact" in data ? { contact: emptied(data.contact as Members, keptOfContact), data: {} } : {}) });
}

/** An event of what somebody did to a message of others, without who it was. */
export function emptiedDeed(json: string): string {
  const data = JSON.parse(json) as Members;
  return JSON.stringify({ ...data, by: null, ...("by_contact_id" in data ? { by_contact_id: null } : {}) });
}

/** The answer to a merge or to its undoing, with nothing of this one of its contacts. */
export function emptiedMerge(json: string, id: string): string {
  const data = JSON.parse(json) as Members;
  const empty = (contact: unknown) => ((contact as Members).id === id ? emptied(contact as Members, keptOfContact) : contact);
  return JSON.stringify({ ...data, contact: empty(data.contact), merged: empty(data.merged) });
}

/** A message as an event or a kept answer holds it, in the same shape, with nothing of the person. */
export function emptiedMessage(json: string): string {
  const data = JSON.parse(json) as Members;
  const { error } = data as { error?: { code: string } | null };
  const failed = error === null || error === undefined ? {} : { error: { code: error.code, message: "", link: null } };
  return JSON.stringify({ ...emptied(data, keptOfMessage), ...failed, to: ERASED, text: "" });
}

/** A thread or a note of one as a kept answer holds it. */
export function emptiedThread(json: string): string {
  const data = JSON.parse(json) as Members;
  return JSON.stringify({ ...emptied(data, keptOfThread), ...("text" in data ? { text: "" } : {}) });
}

function emptied(data: Members, kept: ReadonlySet<string>): Members {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, kept.has(name) ? value : nothingFor(name, value)]));
}

function nothingFor(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return [];
  return name === "metadata" || name === "fields" ? {} : null;
}
