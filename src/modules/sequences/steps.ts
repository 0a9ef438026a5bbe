import { type Static, type TProperties, Type } from "@sinclair/typebox";
import { durationPattern, offsetPattern } from "#src/core/duration.ts";
import { idPattern } from "#src/core/ids.ts";
import { timeOfDayPattern, weekdays } from "#src/core/local-time.ts";
import { accountKinds } from "#src/modules/accounts/model.ts";
import { Metadata } from "#src/modules/contacts/model.ts";
import { SendMessage } from "#src/modules/messages/model.ts";

const TAG_LENGTH_MAX = 64;
const POINTS_MAX = 1_000;
const POOL_MAX = 50;
const PARTS_MAX = 10;

/** What a step can wait for. */
export const awaitedEvents = [
  "message.received",
  "message.button_pressed",
  "message.reacted",
  "message.delivered",
  "message.read",
  "contact.tagged",
  "contact.untagged",
  "contact.updated",
  "lead.scored",
] as const;
export type AwaitedEvent = (typeof awaitedEvents)[number];

export const Duration = Type.String({
  pattern: durationPattern,
  description: "`90s`, `10m`, `4h`, `3d` or `2w`. Days and weeks are those of a calendar: the same local time, later.",
  examples: ["3d"],
});
/** Ahead of or behind a date. */
const Offset = Type.String({
  pattern: offsetPattern,
  description: "A duration that is added to the date; with `-` it is before it.",
  examples: ["-3d"],
});
export const TimeOfDay = Type.String({
  pattern: timeOfDayPattern,
  description: "In the contact's local time.",
  examples: ["09:00"],
});
export const Weekdays = Type.Array(Type.Union(weekdays.map((day) => Type.Literal(day))), {
  minItems: 1,
  maxItems: 7,
  uniqueItems: true,
  description: "All days without it.",
});
export const Tag = Type.String({ minLength: 1, maxLength: TAG_LENGTH_MAX });
const FieldKey = Type.String({ minLength: 1, maxLength: 50 });

export const StepId = Type.String({ pattern: "^[a-z0-9_]{1,40}$", examples: ["welcome"] });
const Target = Type.Union([StepId, Type.Null()], { description: "Id of a step; null ends." });
const SequenceId = Type.String({ pattern: idPattern("seq") });
const AccountId = SendMessage.properties.account_id;

const Until = Type.Object(
  { time: TimeOfDay, weekdays: Type.Optional(Weekdays) },
  { additionalProperties: false, description: "The next time, later than now, that a clock of the contact shows this." },
);
const UntilField = Type.Object(
  {
    field: { ...FieldKey, description: "`created_at`, or the key of a custom field of type `date`." },
    offset: Type.Optional(Offset),
    time: Type.Optional({
      ...TimeOfDay,
      description: "At this local time of that day; without it at midnight, and of `created_at` at its own.",
    }),
  },
  { additionalProperties: false, description: "A date of the contact's; one that is past or not there is not waited for." },
);
const ForEvent = Type.Object(
  {
    event: Type.Union(awaitedEvents.map((event) => Type.Literal(event))),
    tag: Type.Optional({ ...Tag, description: "Of tagged and untagged alone: only with this tag." }),
  },
  { additionalProperties: false, description: "The next event of this type that the contact has." },
);

/** What a `branch` asks. */
export type Condition = { segment: string } | { filter: Record<string, unknown> } | { replied: true };
const If = Type.Unsafe<Condition>(
  Type.Object(
    {
      segment: Type.Optional(Type.String({ pattern: idPattern("seg"), description: "Whether the contact is in it." })),
      filter: Type.Optional(Type.Object({}, { additionalProperties: true, description: "As of a segment." })),
      replied: Type.Optional(Type.Literal(true, { description: "Whether the contact has written since it entered the sequence." })),
    },
    { additionalProperties: false, minProperties: 1, maxProperties: 1, description: "Exactly one of these." },
  ),
);

const Part = Type.Object({ weight: Type.Integer({ minimum: 1, maximum: 100 }), next: Target }, { additionalProperties: false });

/** The content of a message, as of one that is sent by itself. */
const { text, template_id, variables, parse_mode, attachments, buttons, silent } = SendMessage.properties;

/** What a step of a kind has beside `id` and `next`, as it is kept. `wait` is of four kinds, told apart by `by`. */
const members = {
  send: {
    text,
    template_id,
    variables,
    parse_mode,
    attachments,
    buttons,
    silent,
    account_id: Type.Optional({ ...AccountId, description: "Account to send from. Either this or `account_ids`." }),
    account_ids: Type.Optional(
      Type.Array(AccountId, {
        minItems: 1,
        maxItems: POOL_MAX,
        uniqueItems: true,
        description: "The first of these that can reach the contact sends, and is kept for the sends that follow.",
      }),
    ),
    channels: Type.Optional(
      Type.Array(Type.Union(accountKinds.map((kind) => Type.Literal(kind))), {
        minItems: 1,
        uniqueItems: true,
        description: "The kinds of accounts of the pool in the order in which they are tried; others are not.",
      }),
    ),
  },
  wait_for: { for: Duration },
  wait_until: { until: Until },
  wait_until_field: { until_field: UntilField },
  branch: { if: If },
  split: {
    parts: Type.Array(Part, {
      minItems: 2,
      maxItems: PARTS_MAX,
      description: "A contact goes the same way each time; the parts are as large as their weights are.",
    }),
  },
  tag: { tag: Tag },
  untag: { tag: Tag },
  set_field: {
    field: { ...FieldKey, description: "The key of a custom field." },
    value: Type.Union(
      [Type.String({ maxLength: 2_000 }), Type.Number(), Type.Boolean(), Type.Array(Type.String(), { maxItems: 200 }), Type.Null()],
      {
        description: "As the field's type asks for; null clears it.",
      },
    ),
  },
  score: {
    points: Type.Integer({ minimum: -POINTS_MAX, maximum: POINTS_MAX }),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "For whoever reads the sequence." })),
  },
  webhook: {
    data: Type.Optional({ ...Metadata, description: "Told by `sequence.webhook` beside who it is about." }),
  },
  enroll: { sequence_id: SequenceId },
  goal: { name: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "For whoever reads the sequence." })) },
} as const;

const forEvent = { for_event: ForEvent, timeout: { ...Duration, description: "How long at most; a minute or more." } };
const oneStep = <T extends string, P extends TProperties>(type: T, properties: P) =>
  Type.Object({ type: Type.Literal(type), ...properties }, { additionalProperties: false });

const id = { id: StepId };
const onward = { ...id, next: Target };

/** The steps as they are kept and shown: each has its id, and says where it goes on. */
const kept = {
  send: oneStep("send", { ...onward, ...members.send }),
  wait_for: oneStep("wait", { ...onward, ...members.wait_for }),
  wait_until: oneStep("wait", { ...onward, ...members.wait_until }),
  wait_until_field: oneStep("wait", { ...onward, ...members.wait_until_field }),
  wait_for_event: oneStep("wait", { ...onward, ...forEvent, on_timeout: Target }),
  branch: oneStep("branch", { ...id, ...members.branch, then: Target, else: Target }),
  split: oneStep("split", { ...id, ...members.split }),
  tag: oneStep("tag", { ...onward, ...members.tag }),
  untag: oneStep("untag", { ...onward, ...members.untag }),
  set_field: oneStep("set_field", { ...onward, ...members.set_field }),
  score: oneStep("score", { ...onward, ...members.score }),
  webhook: oneStep("webhook", { ...onward, ...members.webhook }),
  enroll: oneStep("enroll", { ...onward, ...members.enroll }),
  exit: oneStep("exit", id),
  goal: oneStep("goal", { ...onward, ...members.goal }),
};

const newId = {
  id: Type.Optional({ ...StepId, description: "Unique in the sequence; `step_1` and so on by its place in the list without it." }),
};
const newTarget = Type.Optional({
  ...Target,
  description: "Id of the step that comes then; null ends. The following one in the list without it.",
});
const newOnward = { ...newId, next: newTarget };

/** The steps as they are written: what is left out of ids and targets comes from their order. */
export const newSteps = {
  send: oneStep("send", { ...newOnward, ...members.send }),
  wait_for: oneStep("wait", { ...newOnward, ...members.wait_for }),
  wait_until: oneStep("wait", { ...newOnward, ...members.wait_until }),
  wait_until_field: oneStep("wait", { ...newOnward, ...members.wait_until_field }),
  wait_for_event: oneStep("wait", { ...newOnward, ...forEvent, on_timeout: newTarget }),
  branch: oneStep("branch", { ...newId, ...members.branch, then: newTarget, else: newTarget }),
  split: oneStep("split", { ...newId, ...members.split }),
  tag: oneStep("tag", { ...newOnward, ...members.tag }),
  untag: oneStep("untag", { ...newOnward, ...members.untag }),
  set_field: oneStep("set_field", { ...newOnward, ...members.set_field }),
  score: oneStep("score", { ...newOnward, ...members.score }),
  webhook: oneStep("webhook", { ...newOnward, ...members.webhook }),
  enroll: oneStep("enroll", { ...newOnward, ...members.enroll }),
  exit: oneStep("exit", newId),
  goal: oneStep("goal", { ...newOnward, ...members.goal }),
};

export type SendStep = Static<typeof kept.send>;
export type WaitStep =
  | Static<typeof kept.wait_for>
  | Static<typeof kept.wait_until>
  | Static<typeof kept.wait_until_field>
  | Static<typeof kept.wait_for_event>;
export type BranchStep = Static<typeof kept.branch>;
export type SplitStep = Static<typeof kept.split>;
export type Step = Static<(typeof kept)[keyof typeof kept]>;
export type NewStep = Static<(typeof newSteps)[keyof typeof newSteps]>;

export const Step = Type.Unsafe<Step>(Type.Union(Object.values(kept), { $id: "SequenceStep" }));

/**
 * The body is not held against this: which of the kinds a step is, and what is wrong with it as one of that kind, the service
 * tells. A union would only say that it is none of them.
 */
export const NewStep = Type.Unsafe<NewStep>({ ...Type.Unknown(), oneOf: Object.values(newSteps) });
