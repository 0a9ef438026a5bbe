/** Examples of the reference; a test sends them and compares their shape. */
export const newTemplateExample = {
  name: "Invoice reminder",
  category: "billing",
  body: "Hey {first_name|there}, invoice {{ invoice }} {% if overdue %}is overdue{% else %}is due on {{ due }}{% endif %}.",
};

export const templateExample = {
  id: "tpl_01HKQ9R2X30000000000000000",
  kind: "message",
  ...newTemplateExample,
  variables: ["due", "first_name", "invoice", "overdue"],
  version: 1,
  created_at: "2026-05-06T14:32:18.000Z",
  updated_at: "2026-05-06T14:32:18.000Z",
};

export const versionExample = {
  version: 1,
  body: newTemplateExample.body,
  created_at: "2026-05-06T14:32:18.000Z",
  actor: "key_01HKQ9R2X30000000000000000",
};

export const fillExample = { variables: { invoice: "4711", due: "Friday", overdue: false } };

export const previewExample = { text: "Hey there, invoice 4711 is due on Friday.", missing: [] };
