import { type Static, Type } from "@sinclair/typebox";
import { Contact } from "#src/modules/contacts/model.ts";

const reasons = ["same_name", "same_mailbox", "username_in_email"] as const;
export type Reason = (typeof reasons)[number];

export const DuplicateGroup = Type.Object({
  name: Type.String({ description: "The name that they share, without case and accents." }),
  reasons: Type.Array(Type.Union(reasons.map((reason) => Type.Literal(reason))), {
    description:
      "`same_name` always. Of the contacts that are shown: `same_mailbox` where the emails of two differ in no more than a `+tag`, or in dots at Gmail; `username_in_email` where the username of one stands before the `@` of another's email.",
  }),
  contacts: Type.Array(Contact, { description: "The oldest ten." }),
  total: Type.Integer({ description: "How many share the name, counted up to 10,000." }),
  total_capped: Type.Boolean({ description: "True when there are more than `total`." }),
});
export type DuplicateGroup = Static<typeof DuplicateGroup>;

export const DuplicatePage = Type.Object({
  items: Type.Array(DuplicateGroup),
  limit: Type.Integer(),
  has_more: Type.Boolean(),
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export type DuplicatePage = Static<typeof DuplicatePage>;
