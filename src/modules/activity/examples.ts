const id = "ct_01HKQ9R2X30000000000000000";
const at = "2026-05-06T14:32:18.000Z";
const actor = "key_01HKQ9R2X30000000000000000";

export const activityExample = {
  items: [{ id: "evt_01HKQ9R2X70000000000000000", at, type: "contact.tagged", actor, message: null, data: { id, tags_added: ["trial"] } }],
  limit: 50,
  has_more: false,
  next_cursor: null,
};

export const heldExample = {
  exported_at: "2026-05-08T09:00:00.000Z",
  contact: {
    ...{ id, number: 42, external_id: null, telegram_id: null, username: "sarah_miller", email: null, phone: null },
    ...{ name: "Sarah Miller", first_name: "Sarah", last_name: "Miller", language: "en", timezone: null, consent: null },
    ...{ tags: ["trial"], fields: {}, metadata: {}, last_seen_at: null, created_at: at, updated_at: at },
  },
  deleted_at: null,
  messages: [],
  threads: [],
  notes: [],
  broadcasts: [],
  enrollments: [],
  events: [{ event: "contact.created", id: "evt_01HKQ9R2X70000000000000000", created_at: at, subject: id, actor, data: { id } }],
  audit: [],
  suppressions: [],
  points: [{ rule_id: "rule_01HKQ9R2X30000000000000000", points: 10, count: 1, last_at: at, fades_at: null }],
  merged: [],
};
