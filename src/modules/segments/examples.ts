/** Examples of the reference; a test sends them and compares their shape. */
const filter = { and: [{ tag: "trial" }, { not: { activity: "message_sent", within_days: 7 } }] };

export const newSegmentExample = { name: "Trials to write to", filter };

export const segmentExample = {
  id: "seg_01HKQ9R2X30000000000000000",
  object: "contact",
  ...newSegmentExample,
  description: null,
  created_at: "2026-05-06T14:32:18.000Z",
  updated_at: "2026-05-06T14:32:18.000Z",
};

export const previewAskExample = { filter: { attribute: "last_seen_at", op: "within_days", value: 30 } };

export const previewExample = { total: 0, sample: [] };
