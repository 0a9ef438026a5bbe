import type { Database } from "#db/database.ts";
import type { Cipher } from "#src/core/cipher.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { JobLoop } from "#src/jobs/job.ts";
import { createBudget } from "#src/modules/accounts/budget.ts";
import { createAccountChanges } from "#src/modules/accounts/changes.ts";
import { createLoginService } from "#src/modules/accounts/login.ts";
import type { BotGate, UserGate } from "#src/modules/accounts/model.ts";
import { createAccountService } from "#src/modules/accounts/service.ts";
import { createAccountStore } from "#src/modules/accounts/store.ts";
import { createVault } from "#src/modules/accounts/vault.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { NewEvent } from "#src/modules/events/model.ts";

interface Needs {
  db: Database;
  clock: Clock;
  cipher: Cipher;
  gate: BotGate;
  /** Logs user accounts in; null where the program has no api_id. */
  userGate: UserGate | null;
  random(): number;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
  nextNumber(tx: Tx, name: string, first: number): Promise<number>;
  addLane: JobLoop["addLane"];
  pauseLane: JobLoop["pauseLane"];
  releaseLane: JobLoop["releaseLane"];
  /** Whoever keeps accounts connected is to look again. */
  changed(tx: Tx): void;
}

/** All of accounts: what they are, what they may send, how they log in. */
export function createAccounts({ db, clock, cipher, gate, userGate, random, ...rest }: Needs) {
  const { appendEvent, audit, nextNumber, addLane, pauseLane, releaseLane, changed } = rest;
  const kept = createAccountStore(db);
  // Lanes are held in real time, and shown in their environment's.
  const standings: typeof kept.standings = async (tx, rows, now) => {
    const env_id = rows[0]?.env_id ?? 0;
    const found = await kept.standings(tx, rows, now, clock.real(env_id, now));
    const shown = ({ held_until }: { held_until: number | null }) => (held_until === null ? null : clock.seen(env_id, held_until));
    return new Map([...found].map(([id, standing]) => [id, { ...standing, held_until: shown(standing) }]));
  };
  const store = { ...kept, standings };
  const vault = createVault({ store, cipher });
  const budget = createBudget({ store, clock, random });
  const changes = createAccountChanges({ store, clock, appendEvent, pauseLane, changed });
  const service = createAccountService({
    ...{ store, clock, vault, budget, changes, gate, userGate, nextNumber, audit, addLane, releaseLane },
  });
  return { service, vault, changes, logins: createLoginService({ store, clock, vault, changes, gate: userGate, audit, write: db.write }) };
}
