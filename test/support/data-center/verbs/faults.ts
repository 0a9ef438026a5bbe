import { DIFFERENCE_MAX, type Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { peersOf } from "./peers.ts";
import { randomLong } from "#test/support/data-center/wire/hash.ts";
import type { PeerRef } from "#test/support/data-center/plain.ts";

export interface FaultVerbs {
  /** Refuses the next calls of a method, which are not done, as `fail("messages.sendMessage", 420, "FLOOD_WAIT_30")`. */
  fail(method: string, code: number, text: string, times?: number, userId?: number): void;
  /** Takes so long over the next calls of a method. */
  delay(method: string, ms: number, times?: number, userId?: number): void;
  /** Does the next calls of a method, but ends the connection before the answer. */
  loseAnswers(method: string, times?: number, userId?: number): void;
  clearFaults(): void;
  /** Whoever writes to the user or group is refused with this, as `USER_PRIVACY_RESTRICTED`; without it, no longer. */
  refuse(peer: PeerRef, text?: string, code?: number): void;
  /** What clients know of files is not enough any more to fetch them. */
  expireFileReferences(): void;
  /** The server salts that clients have are no longer good: they learn the new ones with their next call. */
  rotateSalts(): void;
  /** How many events one getDifference gives, and how many missed ones are too many; without it, as at first. */
  limitDifference(max?: Partial<typeof DIFFERENCE_MAX>): void;
}

export function faultVerbs(cloud: Cloud): FaultVerbs {
  const { faults, files, keys, differenceMax } = cloud;
  const { peerOf } = peersOf(cloud);
  const matchOf = (method: string, times = 1, userId?: number) => ({ method, times, ...(userId !== undefined && { userId }) });
  return {
    fail: (method, code, text, times, userId) => faults.add({ kind: "error", code, text }, matchOf(method, times, userId)),
    delay: (method, ms, times, userId) => faults.add({ kind: "delay", ms }, matchOf(method, times, userId)),
    loseAnswers: (method, times, userId) => faults.add({ kind: "lost" }, matchOf(method, times, userId)),
    clearFaults: () => faults.clear(),
    refuse(ref, text, code = 403) {
      const peer = peerOf(ref);
      if (text === undefined) delete peer.refusal;
      else peer.refusal = { code, text };
    },
    expireFileReferences: () => files.expireReferences(),
    rotateSalts() {
      for (const key of keys.values()) key.salt = randomLong();
    },
    limitDifference: (max) => void Object.assign(differenceMax, DIFFERENCE_MAX, max),
  };
}
