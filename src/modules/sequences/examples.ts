/** Examples of the reference; a test sends them and compares their shape. */
const sender = { account_id: 7421 };

export const newSequenceExample = {
  name: "Welcome",
  steps: [
    { id: "hello", type: "send", text: "Hey {first_name|there}, good to have you here.", ...sender },
    { type: "wait", for: "3d" },
    { type: "branch", if: { replied: true }, then: "thanks", else: "reminder" },
    { id: "reminder", type: "send", text: "Do you need a hand with anything?", ...sender, next: null },
    { id: "thanks", type: "tag", tag: "answered" },
  ],
  window: { weekdays: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "18:00" },
};

const definition = {
  steps: [
    { id: "hello", type: "send", text: "Hey {first_name|there}, good to have you here.", ...sender, next: "step_2" },
    { id: "step_2", type: "wait", for: "3d", next: "step_3" },
    { id: "step_3", type: "branch", if: { replied: true }, then: "thanks", else: "reminder" },
    { id: "reminder", type: "send", text: "Do you need a hand with anything?", ...sender, next: null },
    { id: "thanks", type: "tag", tag: "answered", next: null },
  ],
  timezone: null,
  window: newSequenceExample.window,
  holidays: [],
  frequency_cap: null,
  exit_on: { reply: true, tags: [], blocked: true },
  reentry: { rule: "never" },
  triggers: [],
};
const AT = "2026-05-06T14:32:18.000Z";

export const sequenceExample = {
  id: "seq_01HKQ9R2XD0000000000000000",
  name: "Welcome",
  status: "draft",
  version: 1,
  ...definition,
  metadata: {},
  created_at: AT,
  updated_at: AT,
};

export const versionExample = { version: 1, ...definition, created_at: AT, actor: "key_01HKQ9R2X00000000000000000" };

export const checkExample = { valid: true, faults: [] };

export const enrollmentExample = {
  ...{ id: "enr_01HKQ9R2XE0000000000000000", sequence_id: sequenceExample.id, version: 1, contact_id: "ct_01HKQ9R2X90000000000000000" },
  ...{ status: "active", step: "hello", next_at: AT, why: "due", waits_for: null, account_id: null, reason: null },
  ...{ replied_at: null, converted_at: null, entered_at: AT, ended_at: null, updated_at: AT },
};

export const enrollJobExample = {
  ...{ id: "job_01HKQ9R2X40000000000000000", kind: "sequences.enroll", status: "queued", progress: { done: 0, total: null } },
  ...{ result: null, error: null, created_at: AT, finished_at: null },
};

const messageCounts = { sent: 1, failed: 0, replied: 1, converted: 0 };
const enrollmentCounts = { entered: 1, completed: 0, exited: 1, failed_enrollments: 0 };
export const statisticsExample = {
  ...{ sequence_id: sequenceExample.id, active: 0, paused: 0, ...enrollmentCounts, ...messageCounts },
  steps: [{ step: "hello", reached: 1, ...messageCounts, left: 0, drop_off: 0 }],
  days: [{ day: "2026-05-06", ...enrollmentCounts, ...messageCounts }],
};
