import type { Long, tl } from "@mtcute/core";
import { make } from "#test/support/data-center/tl/make.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import { longOf, sha256 } from "#test/support/data-center/wire/hash.ts";
import { createBox } from "./box.ts";
import type { Email, User } from "./model.ts";
import { createPassword } from "./password.ts";

export interface NewUser {
  id?: number;
  firstName: string;
  lastName?: string;
  username?: string;
  /** With or without a plus. */
  phone?: string;
  /** Nobody finds the user by the number. */
  hidesPhone?: boolean;
  bot?: boolean;
  /** 2 by default. */
  homeDc?: number;
  /** Two-step verification is on. */
  password?: string;
  passwordHint?: string;
  /** Login codes go to an e-mail address. */
  email?: Email;
}

export interface Users {
  add(user: NewUser): User;
  all(): User[];
  /** @throws Error if there is none */
  get(id: number): User;
  find(id: number): User | undefined;
  byPhone(phone: string): User | undefined;
  byUsername(username: string): User | undefined;
}

const FIRST_ID = 700_000_001;

export function createUsers(): Users {
  const users = new Map<number, User>();
  const all = () => [...users.values()];
  let nextId = FIRST_ID;
  return {
    all,
    add({ id = nextId++, bot = false, hidesPhone = false, homeDc = 2, password, passwordHint, phone, ...names }) {
      const user: User = {
        kind: "user",
        id,
        hidesPhone,
        isBot: bot,
        isDeleted: false,
        homeDc,
        box: createBox(),
        randomIds: new Set(),
        contacts: new Set(),
        blocked: new Set(),
        ...names,
      };
      if (phone !== undefined) user.phone = digitsOf(phone);
      if (password !== undefined) user.password = createPassword(password, passwordHint);
      users.set(id, user);
      return user;
    },
    get(id) {
      const user = users.get(id);
      if (user === undefined) throw new Error(`there is no user ${id}`);
      return user;
    },
    find: (id) => users.get(id),
    byPhone: (phone) => all().find((user) => user.phone === digitsOf(phone)),
    byUsername: (username) => all().find((user) => user.username?.toLowerCase() === username.toLowerCase()),
  };
}

export function digitsOf(phone: string): string {
  return phone.replaceAll(/\D/g, "");
}

/** Everyone sees another access hash, as at Telegram: who lends one from another account is refused. */
export function accessHash(viewer: User, target: { id: number; kind: string }): Long {
  return longOf(sha256(Buffer.from(`${viewer.id}:${target.kind}:${target.id}`)));
}

export function presentUser(user: User, viewer: User): tl.RawUser {
  const isSelf = user === viewer;
  if (user.isDeleted) return make("user", { id: user.id, deleted: true, accessHash: accessHash(viewer, user) });
  return make("user", {
    id: user.id,
    self: isSelf,
    accessHash: accessHash(viewer, user),
    firstName: user.firstName,
    lastName: user.lastName,
    username: user.username,
    phone: isSelf ? user.phone : undefined,
    contact: viewer.contacts.has(user),
    mutualContact: viewer.contacts.has(user) && user.contacts.has(viewer),
    bot: user.isBot,
    botInfoVersion: user.isBot ? 1 : undefined,
  });
}

/**
 * A stranger in a group: the access hash is good for nothing, and a client has to say where it has met the user.
 * See https://core.telegram.org/api/min
 */
export function presentStranger(user: User, viewer: User): tl.RawUser {
  return { ...presentUser(user, viewer), min: true, accessHash: accessHash(viewer, { id: user.id, kind: "stranger" }) };
}

/** The user whom a client means. @throws RpcFailure if it may not know it */
export function resolveUser(users: Users, me: User, input: tl.TypeInputUser | tl.TypeInputPeer): User {
  switch (input._) {
    case "inputUserSelf":
    case "inputPeerSelf":
      return me;
    case "inputUser":
    case "inputPeerUser": {
      const user = users.find(input.userId);
      if (user === undefined || input.accessHash.neq(accessHash(me, user))) throw new RpcFailure(400, "PEER_ID_INVALID");
      return user;
    }
    default:
      throw new RpcFailure(400, "PEER_ID_INVALID");
  }
}
