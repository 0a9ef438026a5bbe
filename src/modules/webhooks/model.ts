import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import { FILTER_CONDITIONS_MAX, FILTER_DEPTH_MAX } from "./filter.ts";
import { HEADERS_MAX, HIDDEN } from "./headers.ts";
import { ATTEMPTS_MAX, DELAY_SECONDS_MAX, DELAYS_MAX } from "./retry-policy.ts";
import type { Stage } from "./sender.ts";

const URL_LENGTH_MAX = 2_048;
const EVENTS_MAX = 50;
const EVENT_LENGTH_MAX = 60;
const SECRET_LENGTH_MAX = 256;
const OVERLAP_SECONDS_MAX = 30 * 86_400;
const HOURS_MAX = 720;

export const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
export const nullableTime = (description: string) => Type.Union([time, Type.Null()], { description });
export const WebhookId = Type.String({ pattern: idPattern("wh") });
export const EventName = Type.String({ minLength: 1, maxLength: EVENT_LENGTH_MAX });

const url = Type.String({
  minLength: 1,
  maxLength: URL_LENGTH_MAX,
  description: "http or https, without credentials and without a fragment. Only public addresses, unless ALLOW_PRIVATE_WEBHOOKS is set.",
});
const events = Type.Array(EventName, {
  minItems: 1,
  maxItems: EVENTS_MAX,
  description: "Names of events, `noun.*` for all of a kind, `*` for everything.",
});
const description = Type.String({ minLength: 1, maxLength: 500 });
const filter = Type.Object(
  {},
  {
    additionalProperties: true,
    description: `A condition on the event: \`{"path": "data.account_id", "op": "eq", "value": 7421}\`, or \`{"and": […]}\`, \`{"or": […]}\`, \`{"not": …}\` of such. Up to ${FILTER_DEPTH_MAX} deep, with up to ${FILTER_CONDITIONS_MAX} conditions. Operations: eq, ne, in, contains, starts_with, gt, gte, lt, lte, exists.`,
  },
);
const headers = Type.Record(Type.String(), Type.String(), {
  maxProperties: HEADERS_MAX,
  description: "Headers of your own, such as a token of the receiver's gateway. Kept encrypted, and never shown again.",
});
const schedule = Type.Array(Type.Integer({ minimum: 1, maximum: DELAY_SECONDS_MAX }), {
  minItems: 1,
  maxItems: DELAYS_MAX,
  description: "Seconds between one attempt and the next, give or take a fifth; the first attempt is at once. The last one repeats.",
});
const max_attempts = Type.Integer({
  minimum: 1,
  maximum: ATTEMPTS_MAX,
  description: "After so many the delivery is a dead letter. Without it as many as the schedule has delays, and one more.",
});
const signatureHeader = Type.String({ minLength: 1, maxLength: 100, description: "The header with the signature of the body." });
const signatureFormat = Type.Union([Type.Literal("sha256=hex"), Type.Literal("hex")], {
  description: "Hexadecimal digits of HMAC-SHA256, with `sha256=` before them or without.",
});

const Retry = Type.Object({ max_attempts, schedule });
const RetryAsk = Type.Object(
  { max_attempts: Type.Optional(max_attempts), schedule: Type.Optional(schedule) },
  { additionalProperties: false, minProperties: 1, description: "When a delivery that failed is tried again." },
);

const Signature = Type.Object({ header: signatureHeader, format: signatureFormat });
export type Signature = Static<typeof Signature>;
const SignatureAsk = Type.Object(
  { header: Type.Optional(signatureHeader), format: Type.Optional(signatureFormat) },
  { additionalProperties: false, description: "How the body is signed, beside Standard Webhooks' `webhook-signature`." },
);

const webhookStatuses = ["enabled", "paused", "disabled"] as const;
export type WebhookStatus = (typeof webhookStatuses)[number];

const webhookMembers = {
  id: WebhookId,
  url: Type.String(),
  events: Type.Array(Type.String()),
  description: Type.Union([Type.String(), Type.Null()]),
  filter: Type.Union([filter, Type.Null()]),
  headers: Type.Record(Type.String(), Type.String(), { description: `Names alone: each value is \`${HIDDEN}\`.` }),
  retry: Retry,
  signature: Signature,
  paused: Type.Boolean(),
  status: Type.Union(webhookStatuses.map((status) => Type.Literal(status))),
  status_reason: Type.Union([Type.String(), Type.Null()], {
    description: "Why it is disabled: `gone` (the receiver answered 410), `failing` (nothing but failures for five days).",
  }),
  failing_since: nullableTime("Since when every attempt has failed; null when the last one did not."),
  last_success_at: nullableTime("When a delivery last succeeded."),
  created_at: time,
  updated_at: time,
};

export const Webhook = Type.Object(webhookMembers, { $id: "Webhook" });
export type Webhook = Static<typeof Webhook>;

export const CreatedWebhook = Type.Object(
  { ...webhookMembers, secret: Type.String({ description: "Shown this once." }) },
  { $id: "CreatedWebhook" },
);
export type CreatedWebhook = Static<typeof CreatedWebhook>;

const secret = Type.String({
  minLength: 1,
  maxLength: SECRET_LENGTH_MAX,
  description:
    "One of your own, of 24 bytes or more; what begins with `whsec_` goes on with the base64 of 24 to 64 bytes. Made without it.",
});

export const NewWebhook = Type.Object(
  {
    url,
    events,
    secret: Type.Optional(secret),
    description: Type.Optional(Type.Union([description, Type.Null()])),
    filter: Type.Optional(Type.Union([filter, Type.Null()])),
    headers: Type.Optional(headers),
    retry: Type.Optional(RetryAsk),
    signature: Type.Optional(SignatureAsk),
  },
  { additionalProperties: false },
);
export type NewWebhook = Static<typeof NewWebhook>;

export const WebhookPatch = Type.Object(
  {
    url: Type.Optional(url),
    events: Type.Optional(events),
    description: Type.Optional(Type.Union([description, Type.Null()])),
    paused: Type.Optional(Type.Boolean({ description: "False enables an endpoint that was disabled, too." })),
    skip_waiting: Type.Optional(
      Type.Boolean({ description: "With `paused: false`: what has waited for its first attempt meanwhile is not delivered." }),
    ),
    filter: Type.Optional(Type.Union([filter, Type.Null()])),
    headers: Type.Optional(Type.Union([headers, Type.Null()], { description: "In the place of all that there are." })),
    retry: Type.Optional(Type.Union([RetryAsk, Type.Null()], { description: "null is the default." })),
    signature: Type.Optional(Type.Union([SignatureAsk, Type.Null()], { description: "null is the default." })),
  },
  { additionalProperties: false },
);
export type WebhookPatch = Static<typeof WebhookPatch>;

export const RotateSecret = Type.Object(
  {
    overlap_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: OVERLAP_SECONDS_MAX,
        description: "How long the former secret still signs too: a day unless told otherwise; 0 drops all former ones at once.",
      }),
    ),
    secret: Type.Optional(secret),
  },
  { additionalProperties: false },
);
export type RotateSecret = Static<typeof RotateSecret>;

export const RotatedSecret = Type.Object(
  {
    secret: Type.String({ description: "Shown this once." }),
    previous_expires_at: nullableTime("Until when the former one signs too; null when it does not."),
  },
  { $id: "RotatedSecret" },
);
export type RotatedSecret = Static<typeof RotatedSecret>;

export const TestWebhook = Type.Object(
  { event: Type.Optional({ ...EventName, description: "Any known event; without it the first that the endpoint asks for." }) },
  { additionalProperties: false },
);
export type TestWebhook = Static<typeof TestWebhook>;

const sums = {
  attempts: Type.Integer(),
  failures: Type.Integer({ description: "Attempts that failed." }),
  delivered: Type.Integer(),
  dead_letters: Type.Integer(),
  duration_ms_average: Type.Union([Type.Number(), Type.Null()], { description: "Of an attempt." }),
  duration_ms_max: Type.Union([Type.Integer(), Type.Null()]),
};
export const WebhookStatistics = Type.Object(
  {
    hours: Type.Integer({ minimum: 1, maximum: HOURS_MAX }),
    totals: Type.Object(sums),
    by_hour: Type.Array(Type.Object({ hour: time, ...sums }), { description: "Hours in which there were attempts, oldest first." }),
    waiting: Type.Object(
      {
        events: Type.Integer({ description: "Counted up to 10,000." }),
        oldest_at: nullableTime("When the first of them happened."),
      },
      { description: "Events of the types that it asks for that wait for their first attempt; its filter is not evaluated here." },
    ),
    pending: Type.Integer({ description: "Deliveries that wait for a further attempt; counted up to 10,000." }),
  },
  { $id: "WebhookStatistics" },
);
export type WebhookStatistics = Static<typeof WebhookStatistics>;
export const hoursOptions = { minimum: 1, maximum: HOURS_MAX, default: 24, description: "Of how many hours, this one included." };

/** An attempt as a row keeps it. */
export interface Attempt {
  /** When it began (ms). */
  at: number;
  /** HTTP status of the answer. */
  status: number | null;
  duration_ms: number;
  /** Where it failed; null when it did not. */
  stage: Stage | null;
  error: string | null;
  /** Seconds since 1970, as `webhook-timestamp` said. */
  timestamp: number;
  /** What the endpoint's own signature header said. */
  signature: string;
  /** What `webhook-signature` said. */
  webhook_signature: string;
  /** null when nothing came, or was forgotten. */
  response: { headers: Record<string, string>; body: string } | null;
  /** What `Retry-After` asked for. */
  retry_after_ms?: number;
}
