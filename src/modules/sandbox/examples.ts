/** Examples of the reference; a test sends them and compares their shape. */
export const inboundExample = { from: "@sarah_miller", text: "Thank you, see you on Friday" };

const at = "2026-05-06T14:32:18.000Z";

export const receivedExample = {
  id: "msg_01HKQ9R2X30000000000000000",
  channel: "sandbox",
  account_id: 7421,
  direction: "in",
  to: "@posthouse_sandbox",
  sender: { telegram_id: 123456789, username: "sarah_miller", first_name: "Sarah", last_name: "Miller" },
  contact_id: "ct_01HKQ9R2X30000000000000000",
  thread_id: "th_01HKQ9R2XB0000000000000000",
  text: "Thank you, see you on Friday",
  ...{ parse_mode: null, attachments: [], buttons: [], location: null, contact_card: null },
  ...{ album_id: null, start_payload: null, reactions: [] },
  status: "received",
  ...{ eta: null, schedule_at: null, expires_at: null, silent: false, reply_to: null },
  ...{ error: null, last_error: null, attempts: [], metadata: {}, origin: null },
  ...{ created_at: at, sent_at: at, delivered_at: null, read_at: null, edited_at: null, deleted_at: null, updated_at: at },
};
