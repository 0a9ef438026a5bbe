import { createChanges, type Changes } from "#test/support/bot-api/changes.ts";
import type { TlRecord } from "#test/support/data-center/tl/read.ts";
import { permanent } from "#test/support/data-center/wire/keys.ts";
import type { tl } from "@mtcute/core";
import { createFaults, type Faults } from "./faults.ts";
import { createFiles, type Files } from "./files.ts";
import { createGroups, type Groups } from "./groups.ts";
import type { ClientSession, Key, User } from "./model.ts";
import { createUsers, type Users } from "./users.ts";

/** A call that a client has made. */
export interface CallRecord {
  /** Unix time, milliseconds. */
  at: number;
  method: string;
  userId?: number;
  dcId: number;
  request: TlRecord;
  /** As `PEER_ID_INVALID`, of a call that was refused. */
  error?: string;
}

/** A code for a login that was asked for. */
interface LoginCode {
  phone: string;
  code: string;
}

/** How many events one getDifference gives, and past how many missed ones it gives up. */
export const DIFFERENCE_MAX = { slice: 100, total: Infinity };

/** What all data centres share. */
export interface Cloud {
  users: Users;
  groups: Groups;
  files: Files;
  /** Auth keys by their id. */
  keys: Map<string, Key>;
  /** Where each data centre listens. */
  ports: Map<number, number>;
  /** Login codes by the hash that belongs to them. */
  codes: Map<string, LoginCode>;
  /** The keys that showed a QR code, by its token. */
  tokens: Map<string, Key>;
  /** Users who take their login to another data centre, by what they show there. */
  exported: Map<string, User>;
  faults: Faults;
  calls: CallRecord[];
  changes: Changes;
  differenceMax: typeof DIFFERENCE_MAX;
  /** Sends updates to every session of a user, but for one that knows already. */
  push(user: User, updates: tl.TypeUpdates, except?: ClientSession): void;
  pushTo(key: Key, updates: tl.TypeUpdates): void;
}

/** @param sessions gives what is connected now, over all data centres */
export function createCloud(sessions: () => ClientSession[]): Cloud {
  return {
    users: createUsers(),
    groups: createGroups(),
    files: createFiles(),
    keys: new Map(),
    ports: new Map(),
    codes: new Map(),
    tokens: new Map(),
    exported: new Map(),
    faults: createFaults(),
    calls: [],
    changes: createChanges(),
    differenceMax: { ...DIFFERENCE_MAX },
    push(user, updates, except) {
      for (const session of sessions()) {
        const { user: viewer, revoked } = permanent(session.key).standing;
        const isMeant = viewer === user && revoked === undefined && session !== except && session.wantsUpdates;
        if (isMeant) session.sendObject(updates, 3);
      }
    },
    pushTo(key, updates) {
      for (const session of sessions()) {
        if (permanent(session.key) === key && session.wantsUpdates) session.sendObject(updates, 3);
      }
    },
  };
}

export function unixTime(): number {
  return Math.floor(Date.now() / 1000);
}
