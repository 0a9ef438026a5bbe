import { type TObject, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import { Account } from "#src/modules/accounts/model.ts";
import { Broadcast } from "#src/modules/broadcasts/model.ts";
import { Contact } from "#src/modules/contacts/model.ts";
import { Message, Person } from "#src/modules/messages/model.ts";
import { Score } from "#src/modules/scoring/model.ts";
import type { Enrollment } from "#src/modules/sequences/model.ts";
import { Task } from "#src/modules/tasks/model.ts";
import { ThreadBrief } from "#src/modules/threads/model.ts";
import { Workspace } from "#src/modules/workspaces/model.ts";
import { envelope, type Event, type EventType, messageEnvelope } from "./model.ts";
import { sequencePayloads } from "./sequence-payloads.ts";
import { account, AT, broadcast, contact, contactId, message, person, task, thread, workspace } from "./payload-examples.ts";

/** What an event tells. */
export interface Payload {
  summary: string;
  description: string;
  /** Schema of its `data`. */
  data: TObject;
  /** A `data` that fits. */
  example: Readonly<Record<string, unknown>>;
}

const MergeId = Type.String({ pattern: idPattern("mrg") });
const mergeId = "mrg_01HKQ9R2X80000000000000000";
const otherId = "ct_01HKQ9R2XA0000000000000000";
const orErased = Type.Union([Type.Integer(), Type.Null()], { description: "null once the contact is erased." });

const contactWith = (more: TObject["properties"]) => Type.Object({ ...Contact.properties, ...more });
const tags = (description: string) => Type.Array(Type.String(), { description });

/** What events of messages have beside the message. */
const ofThread = { thread: Type.Union([ThreadBrief, Type.Null()], { description: "Null until it is known." }) };
const by = Type.Union([Person, Type.Null()], { description: "Who did it, as the channel tells." });

function ofMessage(summary: string, description: string, changes: Partial<Message>, more: More = nothingMore): Payload {
  const data = Type.Object({ ...Message.properties, ...ofThread, ...more.properties });
  return { summary, description, data, example: { ...message(changes), thread, ...more.example } };
}

interface More {
  properties: TObject["properties"];
  example: object;
}
const nothingMore: More = { properties: {}, example: {} };

function ofContact(summary: string, description: string): Payload {
  return { summary, description, data: Contact, example: contact };
}

function ofAccount(summary: string, description: string, changes: Partial<Account>): Payload {
  return { summary, description, data: Account, example: { ...account, ...changes } };
}

const received: Partial<Message> = {
  direction: "in",
  to: "@acme_bot",
  sender: person,
  text: "Yes please",
  status: "received",
  eta: null,
  sent_at: null,
};

/** Each event by its name. */
export const payloads: Readonly<Record<EventType, Payload>> = {
  "message.queued": ofMessage("A message was accepted", "It is on disk and will be sent at its account's pace, or at `schedule_at`.", {
    status: "queued",
    sent_at: null,
  }),
  "message.sent": ofMessage("A message was sent", "Telegram has taken it. `text` has its variables filled in.", {}),
  "message.delivered": ofMessage("A message was delivered", "Told by channels that know; bots don't.", {
    status: "delivered",
    delivered_at: AT,
  }),
  "message.read": ofMessage("A message was read", "Told by channels that know; bots don't.", {
    status: "read",
    delivered_at: AT,
    read_at: AT,
  }),
  "message.failed": ofMessage("A message failed", "It will not be tried again; `error` says why.", {
    status: "failed",
    sent_at: null,
    error: { code: "recipient_blocked", message: "The recipient has blocked the account.", link: null },
  }),
  "message.canceled": ofMessage("A message was canceled", "It was taken back before it was sent.", { status: "canceled", sent_at: null }),
  "message.received": ofMessage("A person wrote", "`sender` is who wrote, `to` the account, `contact_id` the person's contact.", received),
  "message.deleted": ofMessage("A message of yours was deleted", "For both sides; `deleted_at` says when.", { deleted_at: AT }),
  "message.edited": ofMessage("A message was changed", "By the person who wrote it, or by you; as it is now.", {
    ...received,
    edited_at: AT,
  }),
  "message.reacted": ofMessage(
    "A person has reacted to a message",
    "To one of either side; `reactions` are those that it has now.",
    { reactions: ["👍"] },
    { properties: { by }, example: { by: person } },
  ),
  "message.button_pressed": ofMessage(
    "A person has pressed a button",
    "Of a message that was sent. Of one that this program doesn't know, its `id` is null and it has no text.",
    { buttons: [[{ text: "Yes", data: "confirm:42" }]] },
    {
      properties: {
        id: Type.Union([Message.properties.id, Type.Null()]),
        by,
        by_contact_id: Message.properties.contact_id,
        button: Type.Union([Type.Object({ data: Type.String() }), Type.Null()], {
          description: "`data` is as it was given with the button; null once the person is erased.",
        }),
      },
      example: { by: person, by_contact_id: contactId, button: { data: "confirm:42" } },
    },
  ),
  "account.connected": ofAccount("An account was connected", "It can send: it is new, is logged in, or has a working token again.", {}),
  "account.disconnected": ofAccount(
    "An account was disconnected",
    "Its token or session was refused, or it was removed; `status_reason` says which.",
    {
      status: "disconnected",
      status_reason: "Telegram refuses the token.",
    },
  ),
  "account.paused": ofAccount(
    "An account was paused by what Telegram asks for",
    "It is to wait for longer than an hour, or Telegram has frozen it; `status_reason` says which. It goes on when somebody lets it.",
    { status: "paused", paused: true, status_reason: "Telegram asks to wait for 7200 s." },
  ),
  "account.restricted": ofAccount(
    "An account can write to nobody new",
    "Telegram took it for a sender of spam. What is queued to people whom it has written with goes on; the others wait until `restricted_until`.",
    { restricted_until: AT },
  ),
  "subscription.upgraded": {
    summary: "The workspace's plan has risen",
    description: "Told in each environment of the workspace.",
    data: Type.Object({ workspace: Workspace, previous_plan: Type.Union([Type.String(), Type.Null()]) }),
    example: { workspace, previous_plan: "starter" },
  },
  "contact.created": ofContact("A contact is new", "By a request, an import, or since somebody wrote for the first time."),
  "contact.updated": ofContact("A contact has changed", "Anything but its tags. That somebody was seen again is no change."),
  "contact.deleted": ofContact("A contact was deleted", "As it was last; what is held on the person is erased later."),
  "contact.tagged": {
    summary: "A contact got tags",
    description: "`tags` are all that it has now.",
    data: contactWith({ tags_added: tags("Those that are new.") }),
    example: { ...contact, tags_added: ["vip"] },
  },
  "contact.untagged": {
    summary: "A contact lost tags",
    description: "`tags` are those that are left.",
    data: contactWith({ tags_removed: tags("Those that it no longer has.") }),
    example: { ...contact, tags: [], tags_removed: ["vip"] },
  },
  "contact.merged": {
    summary: "Two contacts became one",
    description: "The contact that stays, with what it got of the other, which is gone: forget `merged_id`.",
    data: contactWith({ merge_id: MergeId, merged_id: Type.String({ pattern: idPattern("ct") }), merged_number: Type.Integer() }),
    example: { ...contact, merge_id: mergeId, merged_id: otherId, merged_number: 42 },
  },
  "contact.unmerged": {
    summary: "A merge was undone",
    description: "One of the two contacts that are there again; the other has an event of its own.",
    data: contactWith({ merge_id: MergeId }),
    example: { ...contact, merge_id: mergeId },
  },
  "lead.scored": {
    summary: "A contact's score has passed a threshold",
    description: "Told for each threshold that it rises to or past, with the rules that gave the points.",
    data: Type.Object({
      contact_id: Type.String({ pattern: idPattern("ct") }),
      score: orErased,
      previous_score: orErased,
      threshold: orErased,
      why: Score.properties.why,
    }),
    example: {
      contact_id: contactId,
      score: 60,
      previous_score: 40,
      threshold: 50,
      why: [{ rule_id: "rule_01HKQ9R2X60000000000000000", name: "Answered", points: 60, count: 3, last_at: AT }],
    },
  },
  ...sequencePayloads,
  "broadcast.completed": {
    summary: "A broadcast has ended",
    description: "Every one of its recipients has come to an end. `status` says how: `completed`, `canceled`, or `stopped` by itself.",
    data: Broadcast,
    example: broadcast,
  },
  "job.completed": {
    summary: "A long job has ended",
    description: "Done, failed or canceled, as `status` says. Seen by keys that can read the job.",
    data: Task,
    example: task,
  },
  "webhook.disabled": {
    summary: "An endpoint was disabled",
    description: "It answered 410 (`gone`), or every attempt of five days has failed (`failing`). PATCH it to go on.",
    data: Type.Object({
      id: Type.String({ pattern: idPattern("wh") }),
      url: Type.String(),
      status: Type.Literal("disabled"),
      reason: Type.Union([Type.Literal("gone"), Type.Literal("failing")]),
      disabled_at: Type.String({ format: "date-time" }),
    }),
    example: {
      id: "wh_01HKQ9R2X50000000000000000",
      url: "https://example.com/hooks/posthouse",
      status: "disabled",
      reason: "gone",
      disabled_at: AT,
    },
  },
};

/** Schema of an event of one type, as it is listed and delivered. */
export function eventSchema(type: EventType): TObject {
  const isMessage = type.startsWith("message.");
  return Type.Object({ event: Type.Literal(type), ...envelope, ...(isMessage ? messageEnvelope : {}), data: payloads[type].data });
}

/** An event of one type that could have happened. */
export function exampleEvent(type: EventType): Event {
  const { example: data } = payloads[type];
  const {
    id,
    account_id,
    to,
    sender = null,
    text,
    thread_id,
    contact_id,
    workspace,
    enrollment: enrolled,
  } = data as Partial<Message> & { workspace?: Workspace; enrollment?: Enrollment };
  const head = { event: type, id: "evt_01HKQ9R2X70000000000000000", created_at: AT };
  const subject = String(id ?? contact_id ?? enrolled?.contact_id ?? workspace?.id);
  const event = { ...head, subject, actor: "job" };
  if (!type.startsWith("message.")) return { ...event, data };
  const contact = sender === null ? to! : "@sarah_miller";
  return { ...event, account_id: account_id!, contact, text: text!, thread_id: thread_id!, data };
}
