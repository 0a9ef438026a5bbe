import type { TSchema } from "@sinclair/typebox";
import { Account } from "#src/modules/accounts/model.ts";
import { Contact } from "#src/modules/contacts/model.ts";
import { Event, eventTypes } from "#src/modules/events/model.ts";
import { Message } from "#src/modules/messages/model.ts";
import { Task } from "#src/modules/tasks/model.ts";
import type { EventKinds } from "#src/modules/webhooks/event-names.ts";

/** Those of the contract that nothing writes yet are known too: who asks for them gets them when they come. */
const later = [
  ...["message.edited", "sequence.started", "sequence.paused", "sequence.resumed", "sequence.completed"],
  ...["broadcast.completed", "webhook.disabled"],
];

/** What the events of a noun are about; any object where that is no one resource. */
const dataOf: Record<string, TSchema> = { message: Message, contact: Contact, account: Account, job: Task };
const openOnes = new Set(["contact.merged", "contact.unmerged"]);
const anything = { type: "object", additionalProperties: true };

function schemaOf(type: string): object {
  const noun = type.slice(0, type.indexOf("."));
  const { account_id, contact, text, thread_id, ...members } = Event.properties;
  const data = openOnes.has(type) ? anything : (dataOf[noun] ?? anything);
  const above = noun === "message" ? { account_id, contact, text, thread_id } : {};
  const properties = { ...members, event: { const: type }, data, ...above };
  return { type: "object", required: Object.keys(properties), properties };
}

const example = {
  id: "evt_01HKQ9R2X70000000000000000",
  created_at: "2026-05-06T14:32:19.000Z",
  subject: "msg_01HKQ9R2X30000000000000000",
  actor: "job",
};
const messageExample = { account_id: 7421, contact: "@sarah_miller", text: "Hey Sarah, your invite is ready", thread_id: null };

/** What endpoints know of events. */
export const eventKinds: EventKinds = {
  types: [...eventTypes, ...later],
  schemaOf,
  exampleOf: (type) => ({
    event: type,
    ...example,
    ...(type.startsWith("message.") ? messageExample : {}),
    data: type.startsWith("message.") ? { id: example.subject, status: "sent" } : { id: example.subject },
  }),
};
