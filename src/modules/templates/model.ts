import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import { ContactReference } from "#src/modules/contacts/model.ts";

/** Characters of a body, as it is written. */
export const BODY_MAX = 10_000;
/** Names that a body can use: as many as a message takes `variables`. */
export const VARIABLES_MAX = 50;
const VARIABLE_LENGTH_MAX = 1_000;

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const name = Type.String({ minLength: 1, maxLength: 100, description: "Unique in the environment." });
const category = Type.String({ minLength: 1, maxLength: 50, description: "Yours to group by, such as a topic." });
const body = Type.String({
  minLength: 1,
  maxLength: BODY_MAX,
  description:
    "A text with Liquid in it: `{{ customer_name }}`, `{{ city | default: 'your city' }}`, `{% if overdue %}…{% else %}…{% endif %}`. What a message's own text can have, `{first_name|there}` and `\\{`, it can have too.",
});

export const templateKinds = ["message"] as const;
const Kind = Type.Union(
  templateKinds.map((kind) => Type.Literal(kind)),
  { description: "What it is for." },
);
export type TemplateKind = (typeof templateKinds)[number];

/** Values for the names that a body uses. */
export const Variables = Type.Record(
  Type.String({ minLength: 1, maxLength: 64 }),
  Type.Union([Type.String({ maxLength: VARIABLE_LENGTH_MAX }), Type.Number(), Type.Boolean()]),
  {
    maxProperties: VARIABLES_MAX,
    description: "Values for the template's variables. They come out as they are: a brace in one begins nothing.",
  },
);
export type Variables = Static<typeof Variables>;

export const Template = Type.Object(
  {
    id: Type.String({ pattern: idPattern("tpl") }),
    name: Type.String(),
    kind: Kind,
    category: Type.Union([Type.String(), Type.Null()]),
    body: Type.String(),
    variables: Type.Array(Type.String(), { description: "The names that the body uses." }),
    version: Type.Integer({ description: "From 1 on; a changed body is the next." }),
    created_at: time,
    updated_at: time,
  },
  { $id: "Template" },
);
export type Template = Static<typeof Template>;

export const NewTemplate = Type.Object(
  { name, kind: Type.Optional(Kind), category: Type.Optional(Type.Union([category, Type.Null()])), body },
  { additionalProperties: false },
);
export type NewTemplate = Static<typeof NewTemplate>;

export const TemplatePatch = Type.Object(
  { name: Type.Optional(name), category: Type.Optional(Type.Union([category, Type.Null()])), body: Type.Optional(body) },
  { additionalProperties: false },
);
export type TemplatePatch = Static<typeof TemplatePatch>;

export const TemplateVersion = Type.Object(
  {
    version: Type.Integer(),
    body: Type.String(),
    created_at: time,
    actor: Type.String({ description: "Who wrote it: a key." }),
  },
  { $id: "TemplateVersion" },
);
export type TemplateVersion = Static<typeof TemplateVersion>;

/** What a preview is filled with. */
const fill = {
  variables: Type.Optional(Variables),
  contact_id: Type.Optional(Type.Union(ContactReference.anyOf, { description: "Of whom to take what `variables` does not tell." })),
};

export const PreviewTemplate = Type.Object(
  { ...fill, version: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1, description: "The newest one unless given." })) },
  { additionalProperties: false },
);
export type PreviewTemplate = Static<typeof PreviewTemplate>;

export const PreviewBody = Type.Object({ body, ...fill }, { additionalProperties: false });
export type PreviewBody = Static<typeof PreviewBody>;

export const Preview = Type.Object(
  {
    text: Type.String({ description: "The text as it would be sent." }),
    missing: Type.Array(Type.String(), {
      description:
        "Names that have neither a value nor a fallback. `{first_name}` and its like are still filled from the recipient's profile when a message is sent; those in `{{ … }}` have to be given.",
    }),
  },
  { $id: "TemplatePreview" },
);
export type Preview = Static<typeof Preview>;

/** What a list of templates can be narrowed by. */
export interface TemplateFilter {
  kind?: TemplateKind;
  category?: string;
}
