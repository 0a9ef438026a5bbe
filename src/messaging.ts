import type { Database } from "#db/database.ts";
import type { Tx } from "#src/core/tx.ts";
import { laneOf } from "#src/modules/accounts/changes.ts";
import type { AccountRow } from "#src/modules/accounts/store.ts";
import type { ContactService } from "#src/modules/contacts/service.ts";
import { capHeaders } from "#src/modules/messages/cap.ts";
import { createConversation } from "#src/modules/messages/conversation.ts";
import { createEstimator } from "#src/modules/messages/eta.ts";
import { changeJobs } from "#src/modules/messages/change-job.ts";
import { createChangeStore } from "#src/modules/messages/changed-sql.ts";
import { createChangeService } from "#src/modules/messages/changing.ts";
import { createForecast } from "#src/modules/messages/forecast.ts";
import { messageJobs } from "#src/modules/messages/job.ts";
import { createPreflight } from "#src/modules/messages/preflight.ts";
import { createReaching } from "#src/modules/messages/reaching.ts";
import { createMessageService } from "#src/modules/messages/service.ts";
import { createTextPreview } from "#src/modules/messages/text-preview.ts";
import { createThreadsOf } from "#src/modules/messages/thread-of.ts";
import { createWaitingStore } from "#src/modules/messages/waiting-sql.ts";
import type { createSuppressionService } from "#src/modules/suppressions/service.ts";
import type { Replied } from "#src/modules/threads/reply-routes.ts";
import { createThreadService } from "#src/modules/threads/service.ts";
import { createThreadStore } from "#src/modules/threads/store.ts";
import type { createAccounts } from "./accounts.ts";
import type { createReceiving } from "./receiving.ts";

type JobNeeds = Parameters<typeof messageJobs<AccountRow>>[0];
type ServiceNeeds = Parameters<typeof createMessageService<AccountRow>>[0];

interface Needs
  extends Omit<JobNeeds, "contacts" | "laneOf" | "suppressions" | "accounts" | "files">, Pick<ServiceNeeds, "enqueue" | "templates"> {
  db: Database;
  accounts: ReturnType<typeof createAccounts>["service"];
  contacts: ContactService;
  files: JobNeeds["files"] & ServiceNeeds["files"];
  met: ReturnType<typeof createReceiving>["met"];
  suppressions: ReturnType<typeof createSuppressionService>;
  lastEta(tx: Tx, env_id: number, lane: string, now: number): Promise<number | null>;
}

/** Messages that are sent: taking them, foretelling them, and the jobs that carry them. */
export function createMessaging({ db, met, lastEta, ...needs }: Needs) {
  const { contacts } = needs;
  const { store, clock } = needs;
  const sending = { ...needs, laneOf, estimator: createEstimator({ lastEta }) };
  const changing = { changes: createChangeStore(db), threadOf: createThreadsOf(needs.threads) };
  const messages = createMessageService(sending);
  return {
    messages,
    threadService: createThreadService<Replied>({
      store: createThreadStore(db),
      clock,
      messages: {
        async send(tx, sender, ask, thread_id) {
          const { sent, cap } = await messages.send(tx, sender, ask, { thread_id });
          return { sent, headers: (now) => (cap === null ? {} : capHeaders(cap, now)) };
        },
        ofThread: createConversation({ store }),
      },
    }),
    preflight: createPreflight(sending),
    ...createForecast({ ...sending, ...createWaitingStore(db) }),
    previewText: createTextPreview({ templates: needs.templates, contacts }),
    reach: createReaching({ ...sending, row: needs.accounts.row, reachable: contacts.reachable }),
    changes: createChangeService({ ...sending, ...changing, cancel: messages.cancel }),
    jobs: [
      ...changeJobs({ ...sending, ...changing }),
      ...messageJobs({ ...sending, contacts: { ...contacts, met: (tx, env_id, person) => met(tx, { env_id, actor: "job" }, person) } }),
    ],
  };
}
