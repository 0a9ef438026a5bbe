import type { Cloud } from "./cloud/cloud.ts";
import { post } from "./cloud/letters.ts";
import type { User } from "./cloud/model.ts";
import type { NewUser } from "./cloud/users.ts";
import { presentEntry, presentPerson, type HistoryEntry, type Person, type UserRef } from "./plain.ts";

/** What a test can make happen. All arguments and results are plain data, so that the same verbs work over HTTP. */
export interface Verbs {
  addUser(user: NewUser): Person;
  /** The code that was sent last for this number. @throws Error if none was */
  codeFor(phone: string): string;
  /** Another device of the user scans the QR code and agrees. @param token or the whole `tg://login?token=` link */
  acceptQr(token: string, user: UserRef): void;
  /** `from` writes to `to`. Both are told, wherever they are logged in: so one's own telephone writes, too. */
  deliver(from: UserRef, to: UserRef, text: string): HistoryEntry;
  /** Everything in a user's box, oldest first. */
  history(user: UserRef): HistoryEntry[];
  /** Refuses the next calls of a method, which are not done, as `fail("messages.sendMessage", 420, "FLOOD_WAIT_30")`. */
  fail(method: string, code: number, text: string, times?: number, userId?: number): void;
  /** Takes so long over the next calls of a method. */
  delay(method: string, ms: number, times?: number, userId?: number): void;
  /** Does the next calls of a method, but ends the connection before the answer. */
  loseAnswers(method: string, times?: number, userId?: number): void;
  clearFaults(): void;
  /** Whoever writes to the user is refused with 403 and this, as `USER_PRIVACY_RESTRICTED`; without it, no longer. */
  refuse(user: UserRef, text?: string): void;
  /** Ends all logins of the user: 401 with this, by default `SESSION_REVOKED`. */
  revoke(user: UserRef, error?: string): void;
  /** The user belongs to another data centre now. */
  moveHome(user: UserRef, dcId: number): void;
  /** How many events one getDifference gives, and how many missed ones are too many. */
  limitDifference(max: { slice?: number; total?: number }): void;
  /** How many auth keys the user is logged in over. */
  logins(user: UserRef): number;
  /** Resolves once this method was called so often. */
  waitForCalls(method: string, count?: number, timeoutMs?: number): Promise<void>;
  /** Resolves once the user's box has so many messages. */
  waitForHistory(user: UserRef, count: number, timeoutMs?: number): Promise<void>;
}

export function createVerbs(cloud: Cloud): Verbs {
  const { users, keys, codes, tokens, faults, changes, calls } = cloud;
  const userOf = ({ id }: UserRef) => users.get(id);
  const keysOf = (user: User) => [...keys.values()].filter(({ standing }) => standing.user === user);
  const matchOf = (method: string, times = 1, userId?: number) => ({ method, times, ...(userId !== undefined && { userId }) });
  return {
    addUser: (user) => presentPerson(users.add(user)),
    codeFor(phone) {
      const user = users.byPhone(phone);
      const sent = [...codes.values()].findLast((code) => code.phone === user?.phone);
      if (sent === undefined) throw new Error("no code was sent there");
      return sent.code;
    },
    acceptQr(token, user) {
      const key = tokens.get(token.replace("tg://login?token=", ""));
      if (key === undefined) throw new Error("no such code was shown");
      key.standing.scannedBy = userOf(user);
      cloud.pushTo(key, { _: "updateShort", update: { _: "updateLoginToken" }, date: Math.floor(Date.now() / 1000) });
    },
    deliver(from, to, text) {
      const receiver = userOf(to);
      return presentEntry(post(cloud, { from: userOf(from), to: receiver, text }), receiver.box);
    },
    history(user) {
      const { box } = userOf(user);
      return [...box.letters.values()].map((letter) => presentEntry(letter, box));
    },
    fail: (method, code, text, times, userId) => faults.add({ kind: "error", code, text }, matchOf(method, times, userId)),
    delay: (method, ms, times, userId) => faults.add({ kind: "delay", ms }, matchOf(method, times, userId)),
    loseAnswers: (method, times, userId) => faults.add({ kind: "lost" }, matchOf(method, times, userId)),
    clearFaults: () => faults.clear(),
    refuse(user, text) {
      if (text === undefined) delete userOf(user).refuses;
      else userOf(user).refuses = text;
    },
    revoke(user, error = "SESSION_REVOKED") {
      for (const { standing } of keysOf(userOf(user))) standing.revoked = error;
    },
    moveHome: (user, dcId) => void (userOf(user).homeDc = dcId),
    limitDifference: (max) => void Object.assign(cloud.differenceMax, max),
    logins: (user) => keysOf(userOf(user)).length,
    waitForCalls: (method, count = 1, timeoutMs) =>
      changes.waitFor(() => calls.filter((call) => call.method === method).length >= count, timeoutMs),
    waitForHistory: (user, count, timeoutMs) => changes.waitFor(() => userOf(user).box.letters.size >= count, timeoutMs),
  };
}
