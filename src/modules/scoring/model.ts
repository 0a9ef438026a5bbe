import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import type { EventType } from "#src/modules/events/model.ts";

const NAME_LENGTH_MAX = 100;
const POINTS_MAX = 1_000;
const DECAY_DAYS_MAX = 3_650;
const THRESHOLDS_MAX = 10;
const THRESHOLD_MAX = 1_000_000;
const TAG_LENGTH_MAX = 64;

/** What contacts get points for when it happens. A message that is only accepted is none, so that accepting it pays nothing. */
export const scoredEvents = [
  "contact.created",
  "contact.updated",
  "contact.tagged",
  "contact.untagged",
  "message.sent",
  "message.delivered",
  "message.read",
  "message.failed",
  "message.received",
] as const satisfies EventType[];
export type ScoredEvent = (typeof scoredEvents)[number];

const attributes = [
  "tag",
  "external_id",
  "telegram_id",
  "username",
  "email",
  "phone",
  "name",
  "first_name",
  "last_name",
  "language",
  "timezone",
  "consent",
] as const;
export type ScoredAttribute = (typeof attributes)[number];

const ops = ["is_set", "equals", "at_least", "at_most"] as const;
export type ScoreOp = (typeof ops)[number];

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const nullableTime = Type.Union([time, Type.Null()]);
const RuleId = Type.String({ pattern: idPattern("rule") });
/** Points are given by a rule or by a step of a sequence. */
const GiverId = Type.Union([RuleId, Type.String({ pattern: idPattern("seq") })], {
  description: "The rule, or the sequence, that gave them.",
});
const FieldValue = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);
const value = { description: "What it is compared with; of a `multi_choice` one option, of `consent` its status. Not for `is_set`." };

const whenMembers = {
  event: Type.Optional(
    Type.Union(
      scoredEvents.map((event) => Type.Literal(event)),
      { description: "Points each time that this happens to the contact." },
    ),
  ),
  tag: Type.Optional(
    Type.String({ minLength: 1, maxLength: TAG_LENGTH_MAX, description: "Of tagged and untagged alone: only with this tag." }),
  ),
  attribute: Type.Optional(
    Type.Union(
      attributes.map((attribute) => Type.Literal(attribute)),
      { description: "Points for as long as this is so of the contact." },
    ),
  ),
  op: Type.Optional(
    Type.Union(
      ops.map((op) => Type.Literal(op)),
      { description: "`at_least` and `at_most` are for custom fields that are numbers or dates. Case and accents don't matter." },
    ),
  ),
};

/** When a rule gives points: an event, or an attribute or a custom field of the contact as it is. */
const NewWhen = Type.Object(
  {
    ...whenMembers,
    field: Type.Optional(Type.String({ minLength: 1, maxLength: 50, description: "As `attribute`: a custom field, by its key." })),
    value: Type.Optional({ ...FieldValue, ...value }),
  },
  { additionalProperties: false, description: "One of `event`, `attribute` with `op`, and `field` with `op`." },
);
export type NewWhen = Static<typeof NewWhen>;

const When = Type.Object({
  ...whenMembers,
  field: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: "The custom field's key; null once the field is deleted, and then nobody has it.",
    }),
  ),
  value: Type.Optional({ ...FieldValue, ...value }),
});

const name = Type.String({ minLength: 1, maxLength: NAME_LENGTH_MAX });
const points = Type.Integer({ minimum: -POINTS_MAX, maximum: POINTS_MAX, description: "Not 0." });
const decay_days = Type.Union([Type.Integer({ minimum: 1, maximum: DECAY_DAYS_MAX }), Type.Null()], {
  description: "For events alone: the points fade evenly to 0 over so many days, at midnight UTC each; null: they stay.",
});
const enabled = Type.Boolean({ description: "Without it nothing that the rule gives, or gave, counts." });

export const ScoreRule = Type.Object(
  { id: RuleId, name: Type.String(), points: Type.Integer(), when: When, decay_days, enabled, created_at: time, updated_at: time },
  { $id: "ScoreRule" },
);
export type ScoreRule = Static<typeof ScoreRule>;

export const NewScoreRule = Type.Object(
  { name, points, when: NewWhen, decay_days: Type.Optional(decay_days), enabled: Type.Optional({ ...enabled, default: true }) },
  { additionalProperties: false },
);
export type NewScoreRule = Static<typeof NewScoreRule>;

export const ScoreRulePatch = Type.Object(
  { name: Type.Optional(name), points: Type.Optional(points), decay_days: Type.Optional(decay_days), enabled: Type.Optional(enabled) },
  { additionalProperties: false },
);
export type ScoreRulePatch = Static<typeof ScoreRulePatch>;

export const Scoring = Type.Object(
  {
    thresholds: Type.Array(Type.Integer(), { description: "Ascending. A score that rises to one or past it is `lead.scored`." }),
    updated_at: Type.Union([time, Type.Null()], { description: "Null before the first change." }),
  },
  { $id: "Scoring" },
);
export type Scoring = Static<typeof Scoring>;

export const ScoringPatch = Type.Object(
  {
    thresholds: Type.Optional(
      Type.Array(Type.Integer({ minimum: -THRESHOLD_MAX, maximum: THRESHOLD_MAX }), {
        maxItems: THRESHOLDS_MAX,
        description: "In any order, each once.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type ScoringPatch = Static<typeof ScoringPatch>;

export const Score = Type.Object(
  {
    total: Type.Integer({ description: "All points together, rounded once. Changes with time where points fade." }),
    why: Type.Array(
      Type.Object({
        rule_id: GiverId,
        name: Type.String(),
        points: Type.Number({ description: "What is left of them, to two places." }),
        count: Type.Union([Type.Integer(), Type.Null()], {
          description: "Events that count; null where it is about the contact as it is.",
        }),
        last_at: nullableTime,
      }),
      { description: "The most points first." },
    ),
  },
  { $id: "Score" },
);
export type Score = Static<typeof Score>;

/** Points for events as a contact's document of all that is held shows them. */
export const HeldPoints = Type.Object({
  rule_id: GiverId,
  points: Type.Integer({ description: "As they were given." }),
  count: Type.Integer(),
  last_at: time,
  fades_at: nullableTime,
});
export type HeldPoints = Static<typeof HeldPoints>;

/** What scoring looks at of a contact's row. */
export interface Lead {
  row: number;
  id: string;
  external_id: string | null;
  telegram_id: number | null;
  username: string | null;
  email: string | null;
  phone: string | null;
  name: string | null;
  first_name: string | null;
  last_name: string | null;
  language: string | null;
  timezone: string | null;
  /** JSON. */
  consent: string | null;
  /** JSON list. */
  tags: string;
  /** JSON object, by the fields' ids. */
  fields: string;
}

/** Something that happened to a contact. */
export interface Happening {
  type: ScoredEvent;
  /** Those that were added or taken away. */
  tags?: readonly string[];
}

/** A change of a contact as its own transaction makes it. */
export interface LeadChange {
  /** Null for one that is new. */
  before: Lead | null;
  after: Lead;
  happened: readonly Happening[];
}

/** Something that happened to a contact without changing it. */
export interface LeadNote {
  contact_id: string;
  type: ScoredEvent;
}
