import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";

/** Everything that is told, each with its payload in `payloads.ts`. */
export const eventTypes = [
  "message.queued",
  "message.sent",
  "message.delivered",
  "message.read",
  "message.failed",
  "message.canceled",
  "message.received",
  "message.edited",
  "message.deleted",
  "message.reacted",
  "message.button_pressed",
  "account.connected",
  "account.disconnected",
  "account.paused",
  "account.restricted",
  "subscription.upgraded",
  "contact.created",
  "contact.updated",
  "contact.deleted",
  "contact.tagged",
  "contact.untagged",
  "contact.merged",
  "contact.unmerged",
  "lead.scored",
  "sequence.started",
  "sequence.paused",
  "sequence.resumed",
  "sequence.completed",
  "sequence.exited",
  "sequence.step",
  "sequence.webhook",
  "broadcast.completed",
  "job.completed",
  "webhook.disabled",
] as const;
export type EventType = (typeof eventTypes)[number];

/** Every name that may be asked for, beside `noun.*`. */
export const knownEventTypes: readonly string[] = [...eventTypes];

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

/** What every event has beside its `data`. */
export const envelope = {
  id: Type.String({ pattern: idPattern("evt") }),
  created_at: Type.String({ format: "date-time" }),
  subject: Type.String({ description: "Id of what it is about." }),
  actor: Type.String({ description: "Who made it happen: a key, the job loop, a command, a contact who wrote." }),
};

/** What stands at the top of `message.*` too, for receivers that look no further. */
export const messageEnvelope = {
  account_id: Type.Union([Type.Integer(), Type.Null()]),
  contact: Type.String({ description: "The recipient, or who wrote what was received: `@username`, else phone, else id." }),
  text: Type.String(),
  thread_id: Type.Union([Type.String(), Type.Null()]),
};

export const Event = Type.Object(
  {
    event: Type.Union(eventTypes.map((type) => Type.Literal(type))),
    ...envelope,
    data: Type.Object(
      {},
      { additionalProperties: true, description: "The resource as it was after the change: see the webhook of this name." },
    ),
    ...Type.Partial(Type.Object(messageEnvelope)).properties,
  },
  { $id: "Event" },
);
export type Event = Static<typeof Event>;

/** A place in the log: everything up to it, in the order of commits, is before it. */
export interface Place {
  tx_id: number;
  seq: number;
}

/** Of two places of a log, whether the first is the later. */
export function isAfter(one: Place, other: Place): boolean {
  return one.tx_id === other.tx_id ? one.seq > other.seq : one.tx_id > other.tx_id;
}
