import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import type { PageQuery } from "#src/core/page.ts";
import { EventName, nullableTime, time, WebhookId } from "./model.ts";
import type { Stage } from "./sender.ts";

export const deliveryStatuses = ["pending", "delivered", "dead_letter", "failed"] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

const deliveryMembers = {
  id: Type.String({ pattern: idPattern("dlv") }),
  webhook_id: WebhookId,
  event_id: Type.String({ pattern: idPattern("evt") }),
  event: Type.String({ description: "The event's name." }),
  status: Type.Union(
    deliveryStatuses.map((status) => Type.Literal(status)),
    { description: "`pending` will be tried again, `dead_letter` no more; `failed` is a test event that was not accepted." },
  ),
  tries: Type.Integer({ description: "Attempts since the first or the last replay." }),
  next_attempt_at: nullableTime("When it is tried next."),
  response_status: Type.Union([Type.Integer(), Type.Null()], { description: "HTTP status of the last answer." }),
  test: Type.Boolean({ description: "Whether it is a test event, which is in no log and is tried once." }),
  replayed_at: nullableTime("When it was last asked for again."),
  created_at: time,
  updated_at: time,
};

/** One event for one endpoint. */
export const Delivery = Type.Object(deliveryMembers, { $id: "Delivery" });
export type Delivery = Static<typeof Delivery>;

const stages = ["resolve", "connect", "tls", "send", "wait", "status"] as const satisfies readonly Stage[];
const nullableText = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const shownHeaders = Type.Record(Type.String(), Type.String());

const ShownAttempt = Type.Object({
  at: time,
  status: Type.Union([Type.Integer(), Type.Null()], { description: "HTTP status of the answer; null without one." }),
  duration_ms: Type.Integer(),
  stage: Type.Union([...stages.map((stage) => Type.Literal(stage)), Type.Null()], {
    description: "Where it failed; null when it did not.",
  }),
  error: nullableText("Why it failed."),
  request: Type.Object({ headers: shownHeaders }, { description: "As it was sent; the values of headers of your own are hidden." }),
  response: Type.Union([Type.Object({ headers: shownHeaders, body: Type.String({ description: "The first 4 KiB." }) }, {}), Type.Null()], {
    description: "null when nothing came, or when the person whom the event was about has been erased.",
  }),
});
export type ShownAttempt = Static<typeof ShownAttempt>;

export const DeliveryDetail = Type.Object(
  {
    ...deliveryMembers,
    request: Type.Object({
      url: Type.String({ description: "The endpoint's present address." }),
      body: nullableText("What was sent, byte for byte; null when the event is no longer kept."),
    }),
    attempts: Type.Array(ShownAttempt, { description: "Oldest first." }),
  },
  { $id: "DeliveryDetail" },
);
export type DeliveryDetail = Static<typeof DeliveryDetail>;

/** What a list of deliveries can be narrowed by. Times are those of the events. */
interface DeliveryFilter {
  status?: DeliveryStatus;
  event?: string;
  event_id?: string;
  webhook_id?: string;
  created_after?: string;
  created_before?: string;
}
export type DeliveryQuery = DeliveryFilter & PageQuery;

export const ReplayDeliveries = Type.Object(
  {
    since: Type.String({ format: "date-time", description: "Events that happened at this time or later." }),
    until: Type.Optional(
      Type.String({ format: "date-time", description: "Events that happened before this time; to the end of the log without it." }),
    ),
    event: Type.Optional({ ...EventName, description: "Only events of this name." }),
    contact_id: Type.Optional(Type.String({ pattern: idPattern("ct"), description: "Only events about this contact." })),
    which: Type.Optional(
      Type.Union([Type.Literal("failed"), Type.Literal("all")], {
        default: "failed",
        description:
          "`failed`: dead letters, and what has failed by now and is to be tried again. `all`: every event that the endpoint asks for, delivered or not, also those that it never got.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type ReplayDeliveries = Static<typeof ReplayDeliveries>;

export const PurgeDeliveries = Type.Object(
  {
    webhook_id: Type.Optional({ ...WebhookId, description: "Only of this endpoint." }),
    before: Type.Optional(Type.String({ format: "date-time", description: "Only of events that happened before this time." })),
    event: Type.Optional({ ...EventName, description: "Only of events of this name." }),
  },
  { additionalProperties: false },
);
export type PurgeDeliveries = Static<typeof PurgeDeliveries>;
