import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";

/** Requests a minute that a plan gives each key; without a plan it is 600. */
export const planLimits = { starter: 60, builder: 120, professional: 300, enterprise: 1_000 } as const;
export type Plan = keyof typeof planLimits;
export const DEFAULT_RATE_LIMIT = 600;

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const plan = Type.Union([Type.Literal("starter"), Type.Literal("builder"), Type.Literal("professional"), Type.Literal("enterprise")]);

export const Workspace = Type.Object(
  {
    id: Type.String({ pattern: idPattern("ws") }),
    name: Type.String(),
    plan: Type.Union([plan, Type.Null()]),
    currency: Type.String({ description: "ISO 4217" }),
    on_unknown: Type.Union([Type.Literal("fail"), Type.Literal("retry")], {
      description:
        "What becomes of a send whose outcome Telegram never told: `fail` ends it as `outcome_unknown`, `retry` accepts doubles.",
    }),
    created_at: time,
    updated_at: time,
  },
  { $id: "Workspace" },
);
export type Workspace = Static<typeof Workspace>;

export const WorkspacePatch = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    plan: Type.Optional(Type.Union([plan, Type.Null()])),
    currency: Type.Optional(Type.String({ pattern: "^[A-Z]{3}$" })),
    on_unknown: Type.Optional(Type.Union([Type.Literal("fail"), Type.Literal("retry")])),
  },
  { additionalProperties: false },
);
export type WorkspacePatch = Static<typeof WorkspacePatch>;

export const Environment = Type.Object(
  {
    id: Type.String({ pattern: idPattern("env") }),
    name: Type.String(),
    mode: Type.Union([Type.Literal("live"), Type.Literal("test")]),
    opt_out_replies: Type.Boolean({
      description: "Whether a person who answers STOP, in one of many languages, is suppressed, and START lifts that.",
    }),
    created_at: time,
    updated_at: time,
  },
  { $id: "Environment" },
);
export type Environment = Static<typeof Environment>;

export const NewEnvironment = Type.Object(
  { name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,39}$", description: "Lower-case letters, digits and hyphens." }) },
  { additionalProperties: false },
);
export type NewEnvironment = Static<typeof NewEnvironment>;

export const EnvironmentPatch = Type.Object({ opt_out_replies: Type.Optional(Type.Boolean()) }, { additionalProperties: false });
export type EnvironmentPatch = Static<typeof EnvironmentPatch>;
