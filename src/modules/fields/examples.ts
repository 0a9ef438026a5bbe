/** Examples of the reference; a test sends them and compares their shape. */
export const newFieldExample = { key: "plan", label: "Plan", type: "choice", options: ["starter", "professional"] };

export const fieldExample = {
  id: "fld_01HKQ9R2X30000000000000000",
  object: "contact",
  ...newFieldExample,
  created_at: "2026-05-06T14:32:18.000Z",
  updated_at: "2026-05-06T14:32:18.000Z",
};
