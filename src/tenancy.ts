import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { AccountService } from "#src/modules/accounts/service.ts";
import type { AuditService } from "#src/modules/audit/service.ts";
import type { EventService } from "#src/modules/events/service.ts";
import { createAuthenticator } from "#src/modules/keys/authenticate.ts";
import { createKeyService } from "#src/modules/keys/service.ts";
import { createKeyStore } from "#src/modules/keys/store.ts";
import { createWorkspaceService } from "#src/modules/workspaces/service.ts";
import { createWorkspaceStore } from "#src/modules/workspaces/store.ts";

interface Needs {
  db: Database;
  clock: Clock;
  log: Log;
  furnishSandbox: AccountService["furnishSandbox"];
  appendEvent: EventService["append"];
  audit: AuditService["record"];
}

/** Workspaces with their environments, and the keys that open them. */
export function createTenancy({ db, clock, log, furnishSandbox, appendEvent, audit }: Needs) {
  const workspaceStore = createWorkspaceStore(db);
  const keyStore = createKeyStore(db);
  const authenticator = createAuthenticator({
    store: keyStore,
    clock,
    mayCache: db.engine === "sqlite",
    noteUse(env_id, key_id, now) {
      db.write((tx) => keyStore.update(tx, env_id, key_id, { last_used_at: now })).catch((error: unknown) =>
        log.warn("the last use of a key could not be noted", { key_id, error }),
      );
    },
  });
  const keysChanged = () => authenticator.forget();
  return {
    authenticator,
    keys: createKeyService({ store: keyStore, clock, keysChanged, audit }),
    workspaces: createWorkspaceService({
      store: workspaceStore,
      clock,
      furnishSandbox,
      planRose: (tx, env_id, actor, change) => {
        appendEvent(tx, env_id, { type: "subscription.upgraded", subject: change.workspace.id, actor, data: change });
      },
      keysChanged,
      audit,
    }),
    nextNumber: workspaceStore.nextNumber,
  };
}
