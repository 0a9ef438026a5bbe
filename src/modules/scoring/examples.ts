const at = "2026-05-06T14:32:18.000Z";

/** Examples of the reference; a test sends them and compares their shape. */
export const newRuleExample = { name: "Reads what we write", points: 10, when: { event: "message.read" }, decay_days: 30 };

export const ruleExample = {
  id: "rule_01HKQ9R2X30000000000000000",
  ...newRuleExample,
  enabled: true,
  created_at: at,
  updated_at: at,
};

export const settingsExample = { thresholds: [50, 100], updated_at: at };
