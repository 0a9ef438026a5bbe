/** Examples of the reference; a test sends them and compares their shape. */
export const sendExample = { account_id: 7421, to: "@sarah_miller", text: "Hey {first_name}, your invite is ready" };

export const editExample = { text: "Hey {first_name}, your invite is waiting" };

export const sentExample = { id: "msg_01HKQ9R2X30000000000000000", status: "queued", eta: "2026-05-06T14:32:18.000Z" };

export const messageExample = {
  id: "msg_01HKQ9R2X30000000000000000",
  channel: "sandbox",
  account_id: 7421,
  direction: "out",
  to: "@sarah_miller",
  sender: null,
  contact_id: null,
  thread_id: null,
  text: "Hey Sarah, your invite is ready",
  parse_mode: null,
  attachments: [],
  buttons: [],
  location: null,
  contact_card: null,
  album_id: null,
  start_payload: null,
  reactions: [],
  status: "sent",
  eta: "2026-05-06T14:32:18.000Z",
  schedule_at: null,
  expires_at: null,
  silent: false,
  reply_to: null,
  error: null,
  last_error: null,
  attempts: [{ at: "2026-05-06T14:32:18.004Z", duration_ms: 1, outcome: "sent", code: null, detail: null }],
  metadata: {},
  origin: null,
  created_at: "2026-05-06T14:32:18.000Z",
  sent_at: "2026-05-06T14:32:18.005Z",
  delivered_at: null,
  read_at: null,
  edited_at: null,
  deleted_at: null,
  updated_at: "2026-05-06T14:32:18.005Z",
};

export const batchExample = { results: [{ index: 0, ...sentExample }], accepted: 1, refused: 0 };
