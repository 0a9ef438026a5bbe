import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import { scopes } from "#src/core/principal.ts";

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const nullableTime = Type.Union([time, Type.Null()]);

const Scope = Type.Union(scopes.map((scope) => Type.Literal(scope)));
const name = Type.String({ minLength: 1, maxLength: 100 });
const rateLimit = Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: "Requests a minute." });
const accountIds = Type.Array(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
  minItems: 1,
  maxItems: 100,
  uniqueItems: true,
});
const sourceAddresses = Type.Array(Type.String({ maxLength: 50, description: "An address, or a range such as 203.0.113.0/24." }), {
  minItems: 1,
  maxItems: 50,
});

const shared = {
  id: Type.String({ pattern: idPattern("key") }),
  name: Type.String(),
  mode: Type.Union([Type.Literal("live"), Type.Literal("test")]),
  environment: Type.String({ description: "Name of the environment that the key lives in." }),
  scopes: Type.Array(Scope),
  account_ids: Type.Union([Type.Array(Type.Integer()), Type.Null()], { description: "Accounts that the key is bound to; null for all." }),
  source_addresses: Type.Union([Type.Array(Type.String()), Type.Null()], { description: "Where it may be used from; null for anywhere." }),
  rate_limit: Type.Integer({ description: "Requests a minute." }),
  require_idempotency: Type.Boolean({ description: "Writes without an Idempotency-Key are refused." }),
  expires_at: nullableTime,
  created_at: time,
};

/** A key as it is read: never the key itself. */
export const Key = Type.Object(
  {
    ...shared,
    hint: Type.String({ description: "Four characters of the key, to tell it from others." }),
    revoked_at: nullableTime,
    last_used_at: nullableTime,
    updated_at: time,
  },
  { $id: "Key" },
);
export type Key = Static<typeof Key>;

/** The one answer that shows the key. */
export const CreatedKey = Type.Object({ ...shared, key: Type.String({ description: "Shown this once." }) }, { $id: "CreatedKey" });
export type CreatedKey = Static<typeof CreatedKey>;

export const NewKey = Type.Object(
  {
    name,
    scopes: Type.Array(Scope, { minItems: 1, maxItems: scopes.length, uniqueItems: true }),
    expires_at: Type.Optional(Type.Union([time, Type.Null()])),
    rate_limit: Type.Optional(Type.Union([rateLimit, Type.Null()])),
    account_ids: Type.Optional(Type.Union([accountIds, Type.Null()])),
    source_addresses: Type.Optional(Type.Union([sourceAddresses, Type.Null()])),
    require_idempotency: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type NewKey = Static<typeof NewKey>;

export const KeyPatch = Type.Object({ name: Type.Optional(name) }, { additionalProperties: false });
export type KeyPatch = Static<typeof KeyPatch>;

export const RotateKey = Type.Object(
  {
    overlap_seconds: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 2_592_000, description: "How long the old key still works; 0 ends it at once." }),
    ),
  },
  { additionalProperties: false },
);
export type RotateKey = Static<typeof RotateKey>;

export const Me = Type.Object(
  {
    key_id: Type.String({ pattern: idPattern("key") }),
    name: Type.String(),
    mode: Type.Union([Type.Literal("live"), Type.Literal("test")]),
    environment: Type.String(),
    scopes: Type.Array(Scope),
    workspace: Type.Object({ id: Type.String(), name: Type.String(), plan: Type.Union([Type.String(), Type.Null()]) }),
    rate_limit: Type.Integer(),
  },
  { $id: "Me" },
);
export type Me = Static<typeof Me>;
