import { type Static, Type } from "@sinclair/typebox";

export const Tag = Type.Object(
  {
    tag: Type.String(),
    contacts: Type.Integer({ description: "How many contacts have it; counted up to 10,000." }),
    contacts_capped: Type.Optional(Type.Boolean({ description: "True when there are more than `contacts`." })),
  },
  { $id: "Tag" },
);
export type Tag = Static<typeof Tag>;

/** What a list of tags can be narrowed by. */
export interface TagFilter {
  /** How the tag begins. */
  search?: string;
}
