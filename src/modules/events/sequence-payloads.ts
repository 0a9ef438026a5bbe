import { Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import { Contact, Metadata } from "#src/modules/contacts/model.ts";
import { Enrollment, type SequenceNews, SequenceNews as News } from "#src/modules/sequences/model.ts";
import { AT, contact, contactId, enrollment, message, sequence } from "./payload-examples.ts";
import type { Payload } from "./payloads.ts";

const { id: enrollment_id, sequence_id } = enrollment;
const ended = { step: null, next_at: null, why: "ended", ended_at: AT };

function ofEnrollment(summary: string, description: string, changes: Partial<Enrollment>): Payload {
  const news: SequenceNews = {
    sequence,
    enrollment: { ...enrollment, ...changes },
  };
  return { summary, description, data: News, example: news };
}

const about = {
  enrollment_id: Enrollment.properties.id,
  sequence_id: Enrollment.properties.sequence_id,
  step: Type.String({ description: "Its id." }),
};

/** What is told of sequences. */
export const sequencePayloads = {
  "sequence.started": ofEnrollment("A contact has entered a sequence", "By a request, by a trigger, or from another sequence.", {}),
  "sequence.paused": ofEnrollment("A contact's sequence was paused", "Or a whole sequence: then `enrollment` is null.", {
    status: "paused",
    next_at: null,
    why: "paused",
  }),
  "sequence.resumed": ofEnrollment("A contact's sequence goes on", "Or a whole sequence: then `enrollment` is null.", {}),
  "sequence.completed": ofEnrollment("A contact has been through a sequence", "To its end.", {
    ...ended,
    status: "completed",
    reason: "completed",
  }),
  "sequence.exited": ofEnrollment("A contact has left a sequence before its end", "`reason` says why, as in `replied` or `unenrolled`.", {
    ...ended,
    status: "exited",
    reason: "replied",
  }),
  "sequence.step": {
    summary: "A step of a sequence was done",
    description: "Of a wait: it has begun. Of a send: its message is queued, and has events of its own.",
    data: Type.Object({
      ...about,
      version: Type.Integer(),
      contact_id: Type.String({ pattern: idPattern("ct") }),
      type: Type.String({ description: "`send`, `wait`, `branch`, …: the step's own." }),
      message_id: Type.Union([Type.String({ pattern: idPattern("msg") }), Type.Null()]),
    }),
    example: { enrollment_id, sequence_id, version: 1, contact_id: contactId, step: "welcome", type: "send", message_id: message({}).id },
  },
  "sequence.webhook": {
    summary: "A sequence tells of a contact",
    description: "By a step of type `webhook`, with the step's own `data`.",
    data: Type.Object({ ...about, contact: Contact, data: Metadata }),
    example: { enrollment_id, sequence_id, step: "tell_sales", contact, data: { queue: "sales" } },
  },
} as const satisfies Record<string, Payload>;
