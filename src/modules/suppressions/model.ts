import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";

/** Stands for every channel there is and will be. */
export const EVERY_CHANNEL = "*";
const BATCH_MAX = 500;
const NOTE_MAX = 500;

const suppressionReasons = ["opt_out", "complaint", "manual", "bounced"] as const;

/** The reason of one that a person has made by an answer such as STOP; no request gives it. */
export const BY_REPLY = "reply";
export const shownReasons = [...suppressionReasons, BY_REPLY] as const;
export type SuppressionReason = (typeof shownReasons)[number];

const SuppressionId = Type.String({ pattern: idPattern("sup") });
const Channel = Type.String({
  minLength: 1,
  maxLength: 40,
  examples: ["telegram"],
  description: "`telegram`, which the sandbox plays in a test environment, or `*` for every channel.",
});
const Reason = Type.Union(
  suppressionReasons.map((reason) => Type.Literal(reason)),
  { description: "What led to it; it counts the same whatever it is." },
);

const ShownReason = Type.Union(
  shownReasons.map((reason) => Type.Literal(reason)),
  { description: "What led to it; `reply` is the person's own STOP. It counts the same whatever it is." },
);

export const Suppression = Type.Object(
  {
    id: SuppressionId,
    channel: Channel,
    to: Type.String({ description: "`@username` in small letters, a numeric id, or `+phone`." }),
    reason: ShownReason,
    note: Type.Union([Type.String(), Type.Null()]),
    actor: Type.String({ description: "Who made it: a key, a command, or the contact." }),
    created_at: Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] }),
  },
  { $id: "Suppression" },
);
export type Suppression = Static<typeof Suppression>;

export const NewSuppression = Type.Object(
  {
    to: Type.Union(
      [
        Type.String({ minLength: 1, maxLength: 100 }),
        Type.Integer({ minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
      ],
      { description: "As in a send: `@username` with or without the `@`, a numeric id, or `+phone`." },
    ),
    channel: Type.Optional({ ...Channel, default: EVERY_CHANNEL }),
    reason: Type.Optional({ ...Reason, default: "manual" }),
    note: Type.Optional(Type.Union([Type.String({ maxLength: NOTE_MAX }), Type.Null()])),
  },
  { additionalProperties: false },
);
export type NewSuppression = Static<typeof NewSuppression>;

export const SuppressionBatch = Type.Object(
  { suppressions: Type.Array(NewSuppression, { minItems: 1, maxItems: BATCH_MAX }) },
  { additionalProperties: false },
);
export type SuppressionBatch = Static<typeof SuppressionBatch>;

const BatchResult = Type.Union([
  Type.Object({
    index: Type.Integer(),
    id: SuppressionId,
    created: Type.Boolean({ description: "False where it was there before." }),
  }),
  Type.Object({
    index: Type.Integer(),
    error: Type.Object({ code: Type.String(), message: Type.String() }, { additionalProperties: true }),
  }),
]);
export const SuppressionBatchAnswer = Type.Object(
  { results: Type.Array(BatchResult), accepted: Type.Integer(), refused: Type.Integer() },
  { $id: "SuppressionBatchAnswer" },
);
export type SuppressionBatchAnswer = Static<typeof SuppressionBatchAnswer>;

/** What a list of suppressions can be narrowed by. */
export interface SuppressionFilter {
  to?: string;
  channel?: string;
  reason?: SuppressionReason;
}
