import { unixTime, type Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { Key, User } from "#test/support/data-center/cloud/model.ts";
import type { NewUser } from "#test/support/data-center/cloud/users.ts";
import { presentPerson, type Person, type UserRef } from "#test/support/data-center/plain.ts";

export interface AccountVerbs {
  addUser(user: NewUser): Person;
  /** The code that was sent last for this number. @throws Error if none was */
  codeFor(phone: string): string;
  /** Another device of the user scans the QR code and agrees. @param token or the whole `tg://login?token=` link */
  acceptQr(token: string, user: UserRef): void;
  /** Ends all logins of the user: 401 with this, by default `SESSION_REVOKED`. */
  revoke(user: UserRef, error?: string): void;
  /** The user deletes the account. */
  deactivate(user: UserRef): void;
  /** The user belongs to another data centre now. */
  moveHome(user: UserRef, dcId: number): void;
  /** How many auth keys the user is logged in over. */
  logins(user: UserRef): number;
}

export function accountVerbs(cloud: Cloud): AccountVerbs {
  const { users, keys, codes, tokens } = cloud;
  const userOf = ({ id }: UserRef) => users.get(id);
  const keysOf = (user: User): Key[] => [...keys.values()].filter(({ standing }) => standing.user === user);
  const revoke = (user: UserRef, error = "SESSION_REVOKED") => {
    for (const { standing } of keysOf(userOf(user))) standing.revoked = error;
  };
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
      cloud.pushTo(key, { _: "updateShort", update: { _: "updateLoginToken" }, date: unixTime() });
    },
    revoke,
    deactivate(user) {
      userOf(user).isDeleted = true;
      revoke(user, "USER_DEACTIVATED");
    },
    moveHome: (user, dcId) => void (userOf(user).homeDc = dcId),
    logins: (user) => keysOf(userOf(user)).length,
  };
}
