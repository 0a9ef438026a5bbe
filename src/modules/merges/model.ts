import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import type { PageQuery } from "#src/core/page.ts";
import { Contact, mergeMembers } from "#src/modules/contacts/model.ts";

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const ContactId = Type.String({ pattern: idPattern("ct") });

export const NewMerge = Type.Object(
  {
    contact_id: Type.Union([ContactId, Type.Integer({ minimum: 1, maximum: 999_999_999_999_999 })], {
      description: "The contact that goes, by id or number.",
    }),
    prefer: Type.Optional(
      Type.Array(Type.Union(mergeMembers.map((member) => Type.Literal(member))), {
        maxItems: mergeMembers.length,
        description: "Members in which the contact that goes is believed rather than the one that stays.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type NewMerge = Static<typeof NewMerge>;

const MergedContact = Type.Object({ id: ContactId, number: Type.Integer() }, { description: "The contact that went." });

const mergeMembersShown = {
  id: Type.String({ pattern: idPattern("mrg") }),
  contact_id: Type.String({ pattern: idPattern("ct"), description: "The contact that stayed." }),
  merged: MergedContact,
  actor: Type.String({ description: "Who merged them: a key's id." }),
  undo_until: time,
  undone_at: Type.Union([time, Type.Null()]),
  created_at: time,
  updated_at: time,
};
export const Merge = Type.Object(mergeMembersShown, { $id: "Merge" });
export type Merge = Static<typeof Merge>;

export const MergeAnswer = Type.Object(
  { id: mergeMembersShown.id, contact: Contact, merged: MergedContact, undo_until: time },
  { $id: "MergeAnswer" },
);
export type MergeAnswer = Static<typeof MergeAnswer>;

export const UndoAnswer = Type.Object(
  { id: mergeMembersShown.id, contact: Contact, merged: Contact, undone_at: time },
  { $id: "UndoAnswer" },
);
export type UndoAnswer = Static<typeof UndoAnswer>;

export interface MergeQuery extends PageQuery {
  contact_id?: string;
}
