import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import { AuditEntry } from "#src/modules/audit/model.ts";
import { Recipient } from "#src/modules/broadcasts/model.ts";
import { Contact } from "#src/modules/contacts/model.ts";
import { Event } from "#src/modules/events/model.ts";
import { Message } from "#src/modules/messages/model.ts";
import { HeldPoints } from "#src/modules/scoring/model.ts";
import { Enrollment } from "#src/modules/sequences/model.ts";
import { Suppression } from "#src/modules/suppressions/model.ts";
import { HeldThread, ThreadNote } from "#src/modules/threads/model.ts";

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });

export const ActivityItem = Type.Object({
  id: Type.String({ description: "Of the message or of the event." }),
  at: time,
  type: Type.String({
    description:
      "`contact.created`, `contact.tagged` and the like, or `message.` and what has become of the message, such as `message.sent`.",
  }),
  actor: Type.Union([Type.String(), Type.Null()], { description: "Who made it happen; null for a message." }),
  message: Type.Union([Message, Type.Null()], {
    description: "The message as it is now, at the time at which it was accepted or received.",
  }),
  data: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()], {
    description: "Of an event: the contact as it was after the change; of `lead.scored` the score and why.",
  }),
});
export type ActivityItem = Static<typeof ActivityItem>;

export const ActivityPage = Type.Object({
  items: Type.Array(ActivityItem),
  limit: Type.Integer(),
  has_more: Type.Boolean(),
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export type ActivityPage = Static<typeof ActivityPage>;

export const HeldOnContact = Type.Object({
  exported_at: time,
  contact: Contact,
  deleted_at: Type.Union([time, Type.Null()], { description: "When the contact was deleted: it is erased 30 days later." }),
  messages: Type.Union([Type.Array(Message), Type.Null()], {
    description: "Those of the contact, and those to its addresses that are nobody's; null for a key that may not read messages.",
  }),
  threads: Type.Union([Type.Array(HeldThread), Type.Null()], {
    description: "Private conversations with the contact, and those in its chats that are nobody's; null as for `messages`.",
  }),
  notes: Type.Union([Type.Array(ThreadNote), Type.Null()], {
    description: "What was noted of these conversations; null as for `messages`.",
  }),
  broadcasts: Type.Union(
    [
      Type.Array(Type.Object({ broadcast_id: Type.String({ pattern: idPattern("bc") }), name: Type.String(), ...Recipient.properties })),
      Type.Null(),
    ],
    { description: "What the contact was a recipient of, and what came of it; null as for `messages`." },
  ),
  enrollments: Type.Union([Type.Array(Enrollment), Type.Null()], {
    description: "The sequences that the contact is or was in; null for a key that may neither read messages nor manage sequences.",
  }),
  events: Type.Array(Event, { description: "The contact's own." }),
  audit: Type.Array(AuditEntry, { description: "Who changed the contact." }),
  suppressions: Type.Array(Suppression, { description: "Of the contact's addresses." }),
  points: Type.Array(HeldPoints, { description: "What the contact has got for events, by the rules of Scoring." }),
  merged: Type.Array(Contact, { description: "Contacts that became part of this one less than 30 days ago, as they were." }),
});
