import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import { Contact } from "#src/modules/contacts/model.ts";

/** What can be segmented. */
export const segmentObjects = ["contact"] as const;
export type SegmentObject = (typeof segmentObjects)[number];

/** How deep `and`, `or` and `not` lie in one another. */
export const DEPTH_MAX = 8;
/** Conditions of one filter. */
export const CONDITIONS_MAX = 100;
/** Values of one condition. */
export const VALUES_MAX = 100;

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const SegmentId = Type.String({ pattern: idPattern("seg") });
const ObjectName = Type.Union(
  segmentObjects.map((object) => Type.Literal(object)),
  { description: "What it holds." },
);
const name = Type.String({ minLength: 1, maxLength: 100, description: "Unique in the environment." });
const description = Type.String({ minLength: 1, maxLength: 500 });
const filter = Type.Object(
  {},
  {
    additionalProperties: true,
    description: `A tree: \`{"and": […]}\`, \`{"or": […]}\`, \`{"not": …}\`, or a condition. Up to ${DEPTH_MAX} deep, with up to ${CONDITIONS_MAX} conditions. See Segments for what these can be.`,
  },
);

export const Segment = Type.Object(
  {
    id: SegmentId,
    object: ObjectName,
    name: Type.String(),
    description: Type.Union([Type.String(), Type.Null()]),
    filter,
    created_at: time,
    updated_at: time,
  },
  { $id: "Segment" },
);
export type Segment = Static<typeof Segment>;

export const NewSegment = Type.Object(
  {
    object: Type.Optional({ ...ObjectName, default: "contact" }),
    name,
    description: Type.Optional(Type.Union([description, Type.Null()])),
    filter,
  },
  { additionalProperties: false },
);
export type NewSegment = Static<typeof NewSegment>;

export const SegmentPatch = Type.Object(
  { name: Type.Optional(name), description: Type.Optional(Type.Union([description, Type.Null()])), filter: Type.Optional(filter) },
  { additionalProperties: false },
);
export type SegmentPatch = Static<typeof SegmentPatch>;

export const PreviewSegment = Type.Object(
  { object: Type.Optional({ ...ObjectName, default: "contact" }), filter },
  { additionalProperties: false },
);
export type PreviewSegment = Static<typeof PreviewSegment>;

export const SegmentPreview = Type.Object(
  {
    total: Type.Integer({ description: "How many it holds; counted up to 10,000." }),
    total_capped: Type.Optional(Type.Boolean({ description: "True when there are more than `total`." })),
    sample: Type.Array(Contact, { description: "Up to ten of them, the newest." }),
  },
  { $id: "SegmentPreview" },
);
export type SegmentPreview = Static<typeof SegmentPreview>;

/** What a list of segments can be narrowed by. */
export interface SegmentFilter {
  object?: SegmentObject;
}
