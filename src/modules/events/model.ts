import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";

export const eventTypes = [
  "message.queued",
  "message.sent",
  "message.delivered",
  "message.read",
  "message.failed",
  "message.canceled",
  "message.received",
  "account.connected",
  "account.disconnected",
  "subscription.upgraded",
  "contact.created",
  "contact.updated",
  "contact.deleted",
  "contact.tagged",
  "contact.untagged",
  "contact.merged",
  "contact.unmerged",
  "lead.scored",
  "job.completed",
  "webhook.disabled",
] as const;
export type EventType = (typeof eventTypes)[number];

/** Something that happened, as it is written down with the change itself. */
export interface NewEvent {
  type: EventType;
  /** Id of what it is about. */
  subject: string;
  /** Who made it happen: `key_…`, `job`, `command`, `contact`. */
  actor: string;
  /** The resource as it is after the change. */
  data: object;
}

export const Event = Type.Object(
  {
    event: Type.Union(eventTypes.map((type) => Type.Literal(type))),
    id: Type.String({ pattern: idPattern("evt") }),
    created_at: Type.String({ format: "date-time" }),
    subject: Type.String({ description: "Id of what it is about." }),
    actor: Type.String({ description: "Who made it happen: a key, the job loop, a command, a contact who wrote." }),
    data: Type.Object(
      {},
      {
        additionalProperties: true,
        description:
          "The resource as it was after the change; of `lead.scored` `contact_id`, `score`, `previous_score`, `threshold` and `why`.",
      },
    ),
    account_id: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
    contact: Type.Optional(
      Type.String({ description: "For message.*: the recipient, or who wrote what was received: `@username`, else phone, else id." }),
    ),
    text: Type.Optional(Type.String()),
    thread_id: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  },
  { $id: "Event" },
);
export type Event = Static<typeof Event>;
