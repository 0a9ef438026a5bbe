import { type Static, Type } from "@sinclair/typebox";
import { type OutcomeCode, outcomes } from "#src/core/outcomes.ts";
import { accountKinds } from "#src/modules/accounts/model.ts";

const ACCOUNTS_MAX = 50;
const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const account_id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const AskPreflight = Type.Object(
  {
    to: Type.Union(
      [
        Type.String({ minLength: 1, maxLength: 100 }),
        Type.Integer({ minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
      ],
      { description: "As a send has it: `@username`, a numeric chat id, `+phone`, or the id of a contact." },
    ),
    account_ids: Type.Optional(
      Type.Array(account_id, {
        minItems: 1,
        maxItems: ACCOUNTS_MAX,
        uniqueItems: true,
        description: "Those to ask about; all when left out.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type AskPreflight = Static<typeof AskPreflight>;

const Reach = Type.Object({
  account_id: Type.Integer(),
  kind: Type.Union(accountKinds.map((kind) => Type.Literal(kind))),
  reachable: Type.Boolean({ description: "As far as can be told without writing to them." }),
  eta: Type.Union([time, Type.Null()], {
    description: "When a send would leave under today's caps, pace and holds; null where it would not.",
  }),
  reason: Type.Union([Type.Null(), ...(Object.keys(outcomes) as OutcomeCode[]).map((code) => Type.Literal(code))]),
  message: Type.Union([Type.String(), Type.Null()], { description: "Why not, or why so late." }),
  link: Type.Union([Type.String(), Type.Null()], { description: "What to hand over, so that they open the conversation." }),
});
export type Reach = Static<typeof Reach>;

export const Preflight = Type.Object(
  {
    contact_id: Type.Union([Type.String(), Type.Null()]),
    best_account_id: Type.Union([Type.Integer(), Type.Null()], { description: "Who reaches them first; null when nobody does." }),
    accounts: Type.Array(Reach, { description: "Those that reach them first, the soonest on top." }),
  },
  { $id: "Preflight" },
);
export type Preflight = Static<typeof Preflight>;
