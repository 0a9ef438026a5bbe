import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import { Score } from "#src/modules/scoring/model.ts";

const BATCH_MAX = 500;
export const TAG_LENGTH_MAX = 64;
const TAGS_MAX = 100;

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const nullableTime = Type.Union([time, Type.Null()]);
const nullableText = Type.Union([Type.String(), Type.Null()]);
export const METADATA_MAX = 50;

/** Of whatever clients may put something by on. */
export const Metadata = Type.Record(Type.String({ minLength: 1, maxLength: 40 }), Type.String({ maxLength: 500 }), {
  maxProperties: METADATA_MAX,
  description: "Kept and returned, never interpreted.",
});

const ContactId = Type.String({ pattern: idPattern("ct") });

export const consentStatuses = ["granted", "withdrawn"] as const;
const Consent = Type.Object(
  {
    status: Type.Union(consentStatuses.map((status) => Type.Literal(status))),
    at: Type.Optional(Type.String({ format: "date-time", description: "When it was given; now without it." })),
    source: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Where it was given, such as a form." })),
  },
  { additionalProperties: false, description: "Whether the person agreed to be written to." },
);

const FieldValue = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.String())], {
  description: "As the field's type says: see Fields.",
});

const contactMembers = {
  id: ContactId,
  number: Type.Integer({ description: "Unique in the environment; `contact_id` takes it too." }),
  external_id: nullableText,
  telegram_id: Type.Union([Type.Integer(), Type.Null()]),
  username: Type.Union([Type.String(), Type.Null()], { description: "Lower case, without the `@`." }),
  email: nullableText,
  phone: Type.Union([Type.String(), Type.Null()], { description: "E.164." }),
  name: nullableText,
  first_name: nullableText,
  last_name: nullableText,
  language: nullableText,
  timezone: nullableText,
  consent: Type.Union([Type.Object({ status: Type.String(), at: time, source: nullableText }), Type.Null()]),
  tags: Type.Array(Type.String()),
  fields: Type.Record(Type.String(), FieldValue, { description: "Custom fields that have a value, by key." }),
  metadata: Metadata,
  last_seen_at: nullableTime,
  created_at: time,
  updated_at: time,
};

export const Contact = Type.Object(contactMembers, { $id: "Contact" });
export type Contact = Static<typeof Contact>;

/** How a client names a contact in an address. */
export const ContactRef = Type.String({
  pattern: "^(ct_[0-9A-HJKMNP-TV-Z]{26}|[1-9][0-9]{0,14})$",
  description: "`ct_…`, or the contact's number.",
});

/** How a client names a contact in a body. */
export const ContactReference = Type.Union([ContactRef, Type.Integer({ minimum: 1, maximum: 999_999_999_999_999 })]);

export const ScoredContact = Type.Object({ ...contactMembers, score: Score }, { $id: "ScoredContact" });

export const UpsertedContact = Type.Object(
  { ...contactMembers, created: Type.Boolean({ description: "False when the person was here already." }) },
  { $id: "UpsertedContact" },
);

const clearable = (maxLength: number, description?: string) =>
  Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength, ...(description === undefined ? {} : { description }) }), Type.Null()]));

const given = {
  external_id: clearable(200, "The person's id in your own system."),
  telegram_id: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()])),
  username: clearable(33, "Telegram username, with or without the `@`; case does not matter."),
  email: clearable(254),
  phone: clearable(40, "In international form, such as +44 7700 900123."),
  name: clearable(200),
  first_name: clearable(100),
  last_name: clearable(100),
  language: clearable(35, "BCP 47, such as `en` or `pt-BR`."),
  timezone: clearable(60, "IANA name, such as Europe/Berlin."),
  consent: Type.Optional(Type.Union([Consent, Type.Null()])),
  tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: TAG_LENGTH_MAX }), { maxItems: TAGS_MAX })),
  tags_mode: Type.Optional(
    Type.Union([Type.Literal("add"), Type.Literal("replace")], { description: "`add` by default; in a PATCH `replace`." }),
  ),
  fields: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      maxProperties: 100,
      description: "Custom fields by key; null clears one, the others stay.",
    }),
  ),
  metadata: Type.Optional(Metadata),
};

/** Names that no custom field can have. */
export const contactNames: ReadonlySet<string> = new Set([...Object.keys(contactMembers), ...Object.keys(given), "created"]);

/** What a text can say of a contact beside its custom fields: `{first_name}`. */
export const spokenNames = ["name", "first_name", "last_name", "username", "email", "phone", "external_id"] as const;

/** What a client says of a person: what is absent stays as it is, null clears. The service refuses members that are no field. */
export const ContactInput = Type.Object(given, {
  additionalProperties: Type.Unknown({ description: "The custom field with this key. A name that is no field's is refused." }),
});
export type ContactInput = Static<typeof ContactInput>;

export const ContactBatch = Type.Object(
  { contacts: Type.Array(ContactInput, { minItems: 1, maxItems: BATCH_MAX }) },
  { additionalProperties: false },
);
export type ContactBatch = Static<typeof ContactBatch>;

const BatchResult = Type.Union([
  Type.Object({ index: Type.Integer(), id: ContactId, number: Type.Integer(), created: Type.Boolean() }),
  Type.Object({
    index: Type.Integer(),
    error: Type.Object({ code: Type.String(), message: Type.String() }, { additionalProperties: true }),
  }),
]);
export const ContactBatchAnswer = Type.Object(
  { results: Type.Array(BatchResult), created: Type.Integer(), updated: Type.Integer(), refused: Type.Integer() },
  { $id: "ContactBatchAnswer" },
);
export type ContactBatchAnswer = Static<typeof ContactBatchAnswer>;

/** Members in which a merge can be told to prefer who goes. */
export const mergeMembers = [
  ...["external_id", "telegram_id", "username", "email", "phone"],
  ...["name", "language", "timezone", "fields", "metadata"],
] as const;
export type MergeMember = (typeof mergeMembers)[number];

export const contactSorts = ["-created_at", "created_at", "name", "-last_seen_at"] as const;
export type ContactSort = (typeof contactSorts)[number];

/** What a list of contacts can be narrowed by. */
export interface ContactFilter {
  search?: string;
  tag?: string;
  /** `key:value` of a custom field. */
  field?: string;
  /** Id of a segment. */
  segment?: string;
  created_after?: string;
  created_before?: string;
  seen_after?: string;
  seen_before?: string;
  sort?: ContactSort;
}

/** What a value of a contact is compared with; one that is absent never compares as true. */
export type Comparison =
  | { op: "set" }
  | { op: "in"; values: readonly (string | number)[] }
  | { op: "starts_with" | "contains"; value: string }
  | { op: "range"; least?: number; above?: number; most?: number; below?: number };

/** What of a contact itself can be compared. `sort_name` is the name folded, `consent` the status of it. */
export type ComparedColumn =
  | ("external_id" | "telegram_id" | "username" | "email" | "phone" | "name" | "sort_name" | "first_name" | "last_name")
  | ("language" | "timezone" | "consent" | "created_at" | "last_seen_at");

/** A condition that contacts are narrowed by, read and checked: all times are moments, all texts in the form in which they are kept. */
export type ContactCondition =
  | { all: readonly ContactCondition[] }
  | { any: readonly ContactCondition[] }
  | { not: ContactCondition }
  | { column: ComparedColumn; is: Comparison }
  | { tag: string }
  /** A custom field, by the part of the index that has its values. */
  | { field_id: string; kind: "txt" | "num"; is: Comparison }
  /** Messages to the contact that are in one of these states; of those made at `since` (ms) or later. */
  | { statuses: readonly string[]; since?: number; at_least: number };
