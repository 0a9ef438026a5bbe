import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";

const OPTIONS_MAX = 200;
const OPTION_LENGTH_MAX = 100;
const LABEL_LENGTH_MAX = 100;

/** What can have custom fields. */
export const fieldObjects = ["contact"] as const;
export type FieldObject = (typeof fieldObjects)[number];

const fieldTypes = ["text", "number", "boolean", "date", "url", "choice", "multi_choice"] as const;
export type FieldType = (typeof fieldTypes)[number];

/** What those who keep values need to know of a field. */
export interface FieldDefinition {
  id: string;
  key: string;
  type: FieldType;
  options: readonly string[] | null;
}

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const FieldId = Type.String({ pattern: idPattern("fld") });
const ObjectName = Type.Union(
  fieldObjects.map((object) => Type.Literal(object)),
  { description: "What has the field." },
);
const FieldTypeName = Type.Union(
  fieldTypes.map((type) => Type.Literal(type)),
  { description: "What its values are. A `date` is written as `2026-05-06`, a `multi_choice` as a list of options." },
);
const key = Type.String({
  pattern: "^[a-z][a-z0-9_]{0,49}$",
  description: "The name in requests, answers and texts. Unique in the environment, and none that a contact has itself.",
});
const label = Type.String({ minLength: 1, maxLength: LABEL_LENGTH_MAX, description: "The name for people; the key without it." });
const options = Type.Array(Type.String({ minLength: 1, maxLength: OPTION_LENGTH_MAX }), {
  minItems: 1,
  maxItems: OPTIONS_MAX,
  description: "What can be chosen; asked of choices alone. They differ in more than case and accents.",
});

export const Field = Type.Object(
  {
    id: FieldId,
    object: ObjectName,
    key: Type.String(),
    label: Type.String(),
    type: FieldTypeName,
    options: Type.Union([Type.Array(Type.String()), Type.Null()], { description: "Null where nothing is chosen." }),
    created_at: time,
    updated_at: time,
  },
  { $id: "Field" },
);
export type Field = Static<typeof Field>;

export const NewField = Type.Object(
  {
    object: Type.Optional({ ...ObjectName, default: "contact" }),
    key,
    label: Type.Optional(label),
    type: FieldTypeName,
    options: Type.Optional(options),
  },
  { additionalProperties: false },
);
export type NewField = Static<typeof NewField>;

export const FieldPatch = Type.Object(
  { key: Type.Optional(key), label: Type.Optional(label), options: Type.Optional(options) },
  { additionalProperties: false },
);
export type FieldPatch = Static<typeof FieldPatch>;

/** What a list of fields can be narrowed by. */
export interface FieldFilter {
  object?: FieldObject;
}
