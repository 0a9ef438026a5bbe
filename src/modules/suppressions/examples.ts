/** Examples of the reference; a test sends them and compares their shape. */
export const newExample = { to: "@john_doe", channel: "telegram", reason: "opt_out", note: "asked by phone" };

export const suppressionExample = {
  id: "sup_01HKQ9R2X30000000000000000",
  channel: "telegram",
  to: "@john_doe",
  reason: "opt_out",
  note: "asked by phone",
  actor: "key_01HKQ9R2X30000000000000000",
  created_at: "2026-05-06T14:32:18.000Z",
};

export const batchAskExample = { suppressions: [newExample, { to: 123456789, reason: "complaint" }] };

export const batchExample = {
  results: [
    { index: 0, id: "sup_01HKQ9R2X30000000000000000", created: false },
    { index: 1, id: "sup_01HKQ9R2X30000000000000001", created: true },
  ],
  accepted: 2,
  refused: 0,
};
