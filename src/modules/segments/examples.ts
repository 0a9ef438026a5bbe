/** Examples of the reference; a test sends them and compares their shape. */
export const filterExample = {
  and: [
    { tag: "trial" },
    { attribute: "last_seen_at", op: "within_days", value: 30 },
    { not: { activity: "message_sent", within_days: 7 } },
    {
      or: [
        { attribute: "language", op: "starts_with", value: "en" },
        { attribute: "language", op: "is_not_set" },
      ],
    },
  ],
};

export const newSegmentExample = {
  name: "Trials to write to",
  description: "Seen lately, not written to this week",
  filter: filterExample,
};

export const segmentExample = {
  id: "seg_01HKQ9R2X30000000000000000",
  object: "contact",
  ...newSegmentExample,
  created_at: "2026-05-06T14:32:18.000Z",
  updated_at: "2026-05-06T14:32:18.000Z",
};

export const previewExample = { total: 0, sample: [] };
