import { type Static, Type } from "@sinclair/typebox";
import { type FieldErrorCode, fieldErrors } from "#src/core/errors.ts";
import { idPattern } from "#src/core/ids.ts";
import { ContactReference, Metadata } from "#src/modules/contacts/model.ts";
import { Duration, NewStep, Step, StepId, Tag, TimeOfDay, Weekdays } from "./steps.ts";

export { awaitedEvents } from "./steps.ts";
export type { AwaitedEvent, BranchStep, Condition, SendStep, SplitStep, Step, WaitStep } from "./steps.ts";

/** Steps of one sequence. */
const STEPS_MAX = 200;
const TRIGGERS_MAX = 20;
const HOLIDAYS_MAX = 366;
/** Sequences of an environment that are not archived. */
export const SEQUENCES_MAX = 500;

export const sequenceStatuses = ["draft", "active", "paused", "archived"] as const;
export type SequenceStatus = (typeof sequenceStatuses)[number];

/** What can enroll a contact by itself. */
export const triggerEvents = [
  "contact.created",
  "contact.updated",
  "contact.tagged",
  "contact.untagged",
  "message.received",
  "message.button_pressed",
  "message.reacted",
  "lead.scored",
] as const;

const reentryRules = ["never", "after", "always"] as const;

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const SequenceId = Type.String({ pattern: idPattern("seq") });
const Status = Type.Union(sequenceStatuses.map((status) => Type.Literal(status)));
const name = Type.String({ minLength: 1, maxLength: 100, description: "Unique among those that are not archived." });
const timezone = Type.String({
  minLength: 1,
  maxLength: 64,
  description: "IANA name: of contacts who have none, and whose language doesn't tell one. UTC without it.",
  examples: ["Europe/Berlin"],
});
const LocalDate = Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples: ["2026-12-25"] });

const Window = Type.Object(
  {
    weekdays: Type.Optional(Weekdays),
    from: Type.Optional(TimeOfDay),
    to: Type.Optional({ ...TimeOfDay, description: "The first minute that is outside; earlier than `from`, it is that of the next day." }),
  },
  { additionalProperties: false, minProperties: 1, description: "When messages may leave, in the contact's local time." },
);
export type Window = Static<typeof Window>;

const FrequencyCap = Type.Object(
  { count: Type.Integer({ minimum: 1, maximum: 1_000 }), per: Duration },
  {
    additionalProperties: false,
    description: "Not more messages than this to one contact within that time, from all sequences and broadcasts of the environment.",
  },
);
export type FrequencyCap = Static<typeof FrequencyCap>;

const exitMembers = {
  reply: Type.Boolean({ description: "When the contact writes; true without it." }),
  tags: Type.Array(Tag, { maxItems: 50, uniqueItems: true, description: "When the contact gets one of these." }),
  blocked: Type.Boolean({
    description: "When the contact can't be reached anymore, having blocked the account or being suppressed; true without it.",
  }),
};
const ExitOn = Type.Object(exitMembers, {
  additionalProperties: false,
  description: "What ends it for a contact ahead of its end. A change gives all of it.",
});
const Reentry = Type.Object(
  {
    rule: Type.Union(
      reentryRules.map((rule) => Type.Literal(rule)),
      {
        description:
          "Whether a contact who has been through it can enter again; `never` without it. Sequences, and what they do to a contact, let nobody in again within a minute.",
      },
    ),
    after: Type.Optional({ ...Duration, description: "Of `after` alone: how long since it ended." }),
  },
  { additionalProperties: false },
);
const Trigger = Type.Object(
  {
    event: Type.Union(triggerEvents.map((event) => Type.Literal(event))),
    tag: Type.Optional({ ...Tag, description: "Of tagged and untagged alone: only with this tag." }),
    start_payload: Type.Optional(
      Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$", description: "Of received alone: only with this behind `/start`." }),
    ),
  },
  { additionalProperties: false },
);
export type Trigger = Static<typeof Trigger>;

const Holidays = Type.Array(LocalDate, {
  maxItems: HOLIDAYS_MAX,
  uniqueItems: true,
  description: "Local dates on which no message leaves.",
});
const Triggers = Type.Array(Trigger, { maxItems: TRIGGERS_MAX, description: "Events that enroll the contact whom they are about." });
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

/** What a version keeps: everything is said, nothing is left to defaults. */
const definition = {
  steps: Type.Array(Step, { description: "It begins with the first." }),
  timezone: nullable(timezone),
  window: nullable(Window),
  holidays: Holidays,
  frequency_cap: nullable(FrequencyCap),
  exit_on: ExitOn,
  reentry: Reentry,
  triggers: Triggers,
};
export const Definition = Type.Object(definition);
export type Definition = Static<typeof Definition>;

export const Sequence = Type.Object(
  {
    id: SequenceId,
    name: Type.String(),
    status: Status,
    version: Type.Integer({ description: "From 1 on; a changed definition is the next." }),
    ...definition,
    metadata: Metadata,
    created_at: time,
    updated_at: time,
  },
  { $id: "Sequence" },
);
export type Sequence = Static<typeof Sequence>;

const newDefinition = {
  steps: Type.Array(NewStep, { minItems: 1, maxItems: STEPS_MAX, description: "It begins with the first." }),
  timezone: Type.Optional(nullable(timezone)),
  window: Type.Optional(nullable(Window)),
  holidays: Type.Optional(Holidays),
  frequency_cap: Type.Optional(nullable(FrequencyCap)),
  exit_on: Type.Optional(Type.Partial(ExitOn, { additionalProperties: false, description: ExitOn.description! })),
  // No `default`: a patch would take it for what was given.
  reentry: Type.Optional(Reentry),
  triggers: Type.Optional(Triggers),
};
export const NewDefinition = Type.Object(newDefinition);
export type NewDefinition = Static<typeof NewDefinition>;

export const NewSequence = Type.Object({ name, ...newDefinition, metadata: Type.Optional(Metadata) }, { additionalProperties: false });
export type NewSequence = Static<typeof NewSequence>;

export const SequencePatch = Type.Object(
  {
    name: Type.Optional(name),
    ...Type.Partial(NewDefinition).properties,
    metadata: Type.Optional(Metadata),
    move_enrolled: Type.Optional(
      Type.Boolean({
        description: "Contacts whose next step is in the new version too go on with it; all others finish on theirs.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type SequencePatch = Static<typeof SequencePatch>;

export const SequenceVersion = Type.Object(
  {
    version: Type.Integer(),
    ...definition,
    created_at: time,
    actor: Type.String({ description: "Who wrote it: a key." }),
  },
  { $id: "SequenceVersion" },
);
export type SequenceVersion = Static<typeof SequenceVersion>;

export const SequenceCheck = Type.Object(
  {
    valid: Type.Boolean({ description: "Whether it can be activated." }),
    faults: Type.Array(
      Type.Object({
        field: Type.String({ description: "Where it is, such as `steps.3.template_id`." }),
        error: Type.Union((Object.keys(fieldErrors) as FieldErrorCode[]).map((code) => Type.Literal(code))),
        message: Type.String({ description: "What to do about it." }),
        received: Type.Optional(Type.Unknown()),
      }),
    ),
  },
  { $id: "SequenceCheck" },
);
export type SequenceCheck = Static<typeof SequenceCheck>;

/** What a list of sequences can be narrowed by. */
export interface SequenceFilter {
  status?: SequenceStatus;
}

export const enrollmentStatuses = ["active", "paused", "completed", "exited", "failed"] as const;
export type EnrollmentStatus = (typeof enrollmentStatuses)[number];
const nullableTime = Type.Union([time, Type.Null()]);

/** A contact in a sequence, or one who was. */
export const Enrollment = Type.Object(
  {
    id: Type.String({ pattern: idPattern("enr") }),
    sequence_id: SequenceId,
    version: Type.Integer({ description: "Of the sequence: it goes on with this one." }),
    contact_id: Type.String({ pattern: idPattern("ct") }),
    status: Type.Union(enrollmentStatuses.map((status) => Type.Literal(status))),
    step: Type.Union([Type.String(), Type.Null()], {
      description: "The one that comes next, or that it waits in; null when it has ended.",
    }),
    next_at: Type.Union([time, Type.Null()], { description: "When it goes on by itself." }),
    why: Type.String({
      description:
        "Why it goes on no earlier: it is at once `due`; it has a `wait` before it, or one for an `event`; its message may not leave for the `window`, a `holiday` or the `frequency_cap`; it is `paused`, or with its whole sequence `sequence_paused`; it leaves with a sequence that was `archived`; it has `ended`.",
    }),
    waits_for: Type.Union([Type.String(), Type.Null()], { description: "The type of the event that it waits for." }),
    account_id: Type.Union([Type.Integer(), Type.Null()], { description: "The account that writes to the contact, once one has." }),
    reason: Type.Union([Type.String(), Type.Null()], {
      description:
        "Why it has ended, a stable code: `completed`, `exit_step`, `replied`, `tagged`, `blocked`, `unreachable`, `unenrolled` or what the request gave, `archived`, `contact_gone`, `contact_merged`; of one that failed what was wrong, such as `account_gone`, `template_gone` or `window_never_opens`.",
    }),
    replied_at: nullableTime,
    converted_at: nullableTime,
    entered_at: time,
    ended_at: nullableTime,
    updated_at: time,
  },
  { $id: "Enrollment" },
);
export type Enrollment = Static<typeof Enrollment>;

/** Whom to let in: a contact, or many by a job. */
export const Enroll = Type.Object(
  {
    contact_id: Type.Optional(Type.Union(ContactReference.anyOf, { description: "Its id or number." })),
    segment_id: Type.Optional(
      Type.String({ pattern: idPattern("seg"), description: "All who are in a segment at this moment, by a job." }),
    ),
    filter: Type.Optional(
      Type.Object({}, { additionalProperties: true, description: "As of a segment: all whom it holds for, by a job." }),
    ),
    tag: Type.Optional({ ...Tag, description: "All who have it, by a job." }),
    start_at: Type.Optional({ ...StepId, description: "The step to begin with; the first without it." }),
  },
  { additionalProperties: false, description: "Exactly one of `contact_id`, `segment_id`, `filter` and `tag`." },
);
export type Enroll = Static<typeof Enroll>;

export const Unenroll = Type.Object(
  {
    reason: Type.Optional(
      Type.String({ pattern: "^[a-z0-9_]{1,40}$", description: "A code of yours, kept with it; `unenrolled` without it." }),
    ),
  },
  { additionalProperties: false },
);
export type Unenroll = Static<typeof Unenroll>;

export const Move = Type.Object(
  {
    version: Type.Optional(Type.Integer({ minimum: 1, description: "Of the sequence; its own without it." })),
    step: Type.Optional({ ...StepId, description: "To go on with at once; without it the present one, at its time." }),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type Move = Static<typeof Move>;

/** What a list of enrollments can be narrowed by. */
export interface EnrollmentFilter {
  status?: EnrollmentStatus;
  contact_id?: string;
  step?: string;
}

/** What `sequence.started`, `sequence.paused`, `sequence.resumed` and `sequence.completed` tell. */
export const SequenceNews = Type.Object({
  sequence: Type.Object({ id: SequenceId, name: Type.String(), status: Status, version: Type.Integer() }),
  enrollment: Type.Union([Enrollment, Type.Null()], {
    description: "Whom it is about; null where the sequence as a whole was paused or resumed.",
  }),
});
export type SequenceNews = Static<typeof SequenceNews>;
