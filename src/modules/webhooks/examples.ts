/** Examples of the reference; a test sends them and compares their shape. */
export const newWebhookExample = {
  url: "https://your-app.example.com/webhooks/crm",
  events: ["message.received", "lead.scored", "sequence.completed", "contact.created"],
  secret: "your-chosen-signing-secret",
};

export const webhookExample = {
  id: "wh_01HKQ9R2X30000000000000000",
  url: newWebhookExample.url,
  events: newWebhookExample.events,
  description: null,
  filter: { path: "data.account_id", op: "eq", value: 7421 },
  headers: { "X-Gateway-Token": "[hidden]" },
  retry: { max_attempts: 9, schedule: [5, 30, 120, 600, 3600, 10800, 28800, 43200] },
  signature: { header: "X-Signature", format: "sha256=hex" },
  paused: false,
  status: "enabled",
  status_reason: null,
  failing_since: null,
  last_success_at: "2026-05-06T14:32:19.000Z",
  created_at: "2026-05-06T14:32:18.000Z",
  updated_at: "2026-05-06T14:32:18.000Z",
};

export const createdWebhookExample = { ...webhookExample, last_success_at: null, secret: newWebhookExample.secret };

export const patchWebhookExample = { paused: false, skip_waiting: true };

export const rotatedSecretExample = {
  secret: "whsec_V2hhdCBhIGRlbGl2ZXJ5IGlzIHNpZ25lZCB3aXRoLi4=",
  previous_expires_at: "2026-05-07T14:32:18.000Z",
};

const hour = { attempts: 40, failures: 2, delivered: 38, dead_letters: 0, duration_ms_average: 41.5, duration_ms_max: 312 };
export const statisticsExample = {
  hours: 24,
  totals: hour,
  by_hour: [{ hour: "2026-05-06T14:00:00.000Z", ...hour }],
  waiting: { events: 3, oldest_at: "2026-05-06T14:32:18.000Z" },
  pending: 2,
};

export const deliveryExample = {
  id: "dlv_01HKQ9R2X30000007Q3XR5TA2B",
  webhook_id: webhookExample.id,
  event_id: "evt_01HKQ9R2X30000000000000000",
  event: "contact.created",
  status: "dead_letter",
  tries: 9,
  next_attempt_at: null,
  response_status: 500,
  test: false,
  replayed_at: null,
  created_at: "2026-05-06T14:32:18.000Z",
  updated_at: "2026-05-07T14:40:02.000Z",
};

const pendingExample = { ...deliveryExample, status: "pending", tries: 0, next_attempt_at: "2026-05-07T15:00:00.000Z" };
export const replayedExample = { ...pendingExample, replayed_at: "2026-05-07T15:00:00.000Z" };
export const testedExample = { ...pendingExample, response_status: null, test: true };

export const deliveryDetailExample = {
  ...deliveryExample,
  request: {
    url: webhookExample.url,
    body: '{"event":"contact.created","id":"evt_01HKQ9R2X30000000000000000","created_at":"2026-05-06T14:32:18.000Z","data":{}}',
  },
  attempts: [
    {
      at: "2026-05-06T14:32:18.000Z",
      status: 500,
      duration_ms: 41,
      stage: "status",
      error: "The endpoint answered 500.",
      request: {
        headers: {
          "content-type": "application/json",
          "user-agent": "Posthouse/0.1.0",
          "webhook-id": "evt_01HKQ9R2X30000000000000000",
          "webhook-timestamp": "1778077938",
          "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
          "X-Signature": "sha256=2b9a687f33cdf79f54bb5b1c1f942695f3509e19199da8fda3d34337f1ffa48e",
          "X-Gateway-Token": "[hidden]",
        },
      },
      response: { headers: { "content-type": "text/plain" }, body: "out of order" },
    },
  ],
};

const job = {
  id: "job_01HKQ9R2X30000000000000000",
  status: "queued",
  progress: { done: 0, total: null },
  result: null,
  error: null,
  created_at: "2026-05-07T15:00:00.000Z",
  finished_at: null,
};
export const replayJobExample = { ...job, kind: "webhooks.replay" };
export const purgeJobExample = { ...job, kind: "deliveries.purge" };
