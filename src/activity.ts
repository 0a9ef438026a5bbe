import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import { createActivityService } from "#src/modules/activity/service.ts";
import { createActivityStore } from "#src/modules/activity/store.ts";
import { presentAuditEntry } from "#src/modules/audit/service.ts";
import { presentRecipient } from "#src/modules/broadcasts/present.ts";
import { presentEvent } from "#src/modules/events/present.ts";
import type { MergeStore } from "#src/modules/merges/store.ts";
import { presentMessage } from "#src/modules/messages/present.ts";
import { presentEnrollment } from "#src/modules/sequences/state.ts";
import { presentSuppression } from "#src/modules/suppressions/service.ts";
import { presentHeld, presentNote } from "#src/modules/threads/present.ts";

type ActivityNeeds = Parameters<typeof createActivityService>[0];

interface Needs extends Pick<ActivityNeeds, "points"> {
  db: Database;
  clock: Clock;
  merges: Pick<MergeStore, "survivorOf" | "mergedInto">;
  presentContact: ActivityNeeds["present"]["contact"];
}

/** What has happened with a contact, out of all that tells of contacts. */
export function createActivity({ db, clock, points, merges, presentContact }: Needs) {
  return createActivityService({
    store: createActivityStore(db),
    clock,
    points,
    merges: { survivorOf: (env_id, ref) => merges.survivorOf(null, env_id, ref), mergedInto: merges.mergedInto },
    present: {
      contact: presentContact,
      message: presentMessage,
      event: presentEvent,
      auditEntry: presentAuditEntry,
      suppression: presentSuppression,
      thread: presentHeld,
      note: presentNote,
      enrollment: (row) => presentEnrollment(row, (at) => clock.seen(row.env_id, at)),
      recipient: presentRecipient,
    },
  });
}
