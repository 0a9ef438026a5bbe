const at = "2026-05-06T14:32:18.000Z";
const until = "2026-06-05T14:32:18.000Z";
const id = "mrg_01HKQ9R2X30000000000000000";
const merged = { id: "ct_01HKQ9R2X70000000000000000", number: 57 };

const contact = {
  ...{ id: "ct_01HKQ9R2X30000000000000000", number: 42, external_id: "customer-1042", telegram_id: null, username: "sarah_miller" },
  ...{ email: "sarah@example.com", phone: null, name: "Sarah Miller", first_name: "Sarah", last_name: "Miller", language: "en" },
  ...{ timezone: "Europe/London", consent: null, tags: ["trial", "webinar-2026-06"], fields: { plan: "starter" }, metadata: {} },
  ...{ last_seen_at: null, created_at: at, updated_at: at },
};

export const newMergeExample = { contact_id: merged.id, prefer: ["phone"] };
export const mergeAnswerExample = { id, contact, merged, undo_until: until };
export const undoAnswerExample = {
  id,
  contact,
  merged: { ...contact, ...merged, external_id: null, username: null, email: null },
  undone_at: at,
};
export const mergeExample = {
  ...{ id, contact_id: contact.id, merged, actor: "key_01HKQ9R2X30000000000000000", undo_until: until, undone_at: null },
  ...{ created_at: at, updated_at: at },
};
