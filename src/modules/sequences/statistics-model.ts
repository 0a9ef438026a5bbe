import { type Static, Type } from "@sinclair/typebox";
import { Sequence } from "./model.ts";

const n = Type.Integer();
const messageCounts = { sent: n, failed: n, replied: n, converted: n };
const enrollmentCounts = {
  entered: n,
  completed: n,
  exited: n,
  failed_enrollments: { ...n, description: "Those that ended for a fault; `failed` are messages." },
};
export const SequenceStatistics = Type.Object(
  {
    sequence_id: Sequence.properties.id,
    active: { ...n, description: "Now, whatever the days." },
    paused: { ...n, description: "Now, by themselves." },
    ...enrollmentCounts,
    ...messageCounts,
    steps: Type.Array(
      Type.Object({
        step: Type.String(),
        reached: { ...n, description: "How often somebody came to it." },
        ...messageCounts,
        left: { ...n, description: "How many left the sequence in it, ahead of its end." },
        drop_off: Type.Number({ description: "`left` as a share of `reached`." }),
      }),
    ),
    days: Type.Array(Type.Object({ day: Type.String({ description: "In UTC." }), ...enrollmentCounts, ...messageCounts })),
  },
  { $id: "SequenceStatistics" },
);
export type SequenceStatistics = Static<typeof SequenceStatistics>;
