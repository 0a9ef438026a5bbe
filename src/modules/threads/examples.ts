/** Examples of the reference; a test sends them and compares their shape. */
const at = "2026-05-06T14:32:18.000Z";

export const threadExample = {
  id: "th_01HKQ9R2XB0000000000000000",
  channel: "telegram",
  account_id: 10_000,
  type: "private",
  title: "Sarah Miller",
  username: "sarah_miller",
  topic_id: null,
  contact_id: "ct_01HKQ9R2X30000000000000000",
  unread: 2,
  archived: false,
  last_message: { id: "msg_01HKQ9R2X30000000000000000", direction: "in", text: "Yes please", at, status: "received" },
  created_at: at,
  updated_at: at,
};

export const replyExample = { text: "See you on Friday, {first_name}" };
export const newNoteExample = { text: "Wants an invoice for two seats" };
export const noteExample = {
  id: "note_01HKQ9R2XC0000000000000000",
  thread_id: threadExample.id,
  ...newNoteExample,
  actor: "key_01HKQ9R2X10000000000000000",
  created_at: at,
};

export const sentExample = { id: "msg_01HKQ9R2X30000000000000000", status: "queued", eta: at };
export const messageExample = {
  id: "msg_01HKQ9R2X30000000000000000",
  channel: "telegram",
  account_id: 10_000,
  direction: "in",
  to: "@acme_bot",
  sender: { telegram_id: 123456789, username: "sarah_miller", first_name: "Sarah", last_name: "Miller" },
  contact_id: threadExample.contact_id,
  thread_id: threadExample.id,
  text: "Yes please",
  ...{ parse_mode: null, attachments: [], buttons: [], location: null, contact_card: null },
  ...{ album_id: null, start_payload: null, reactions: [] },
  status: "received",
  ...{ eta: null, schedule_at: null, expires_at: null, silent: false, reply_to: null },
  ...{ error: null, last_error: null, attempts: [], metadata: {}, origin: null, created_at: at, sent_at: at },
  ...{ delivered_at: null, read_at: null, edited_at: null, deleted_at: null, updated_at: at },
};
