import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { Peer, User } from "#test/support/data-center/cloud/model.ts";
import { presentAbout, presentPeer, resolvePeer, updatesOf } from "#test/support/data-center/cloud/peers.ts";
import { presentUser, resolveUser } from "#test/support/data-center/cloud/users.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import type { tl } from "@mtcute/core";
import type { Methods } from "./call.ts";

export function contactMethods(cloud: Cloud): Methods {
  const { users, groups } = cloud;
  const byPhone = (phone: string): User | undefined => {
    const user = users.byPhone(phone);
    return user?.hidesPhone ? undefined : user;
  };
  const block = (me: User, input: tl.TypeInputPeer, isBlocked: boolean) => {
    const peer = resolvePeer(cloud, me, input);
    if (peer.kind !== "user") throw new RpcFailure(400, "CONTACT_ID_INVALID");
    if (isBlocked) me.blocked.add(peer);
    else me.blocked.delete(peer);
    return true;
  };
  return {
    "contacts.resolveUsername"({ username }, { me }) {
      const peer = users.byUsername(username) ?? groups.byUsername(username);
      if (peer === undefined) throw new RpcFailure(400, "USERNAME_NOT_OCCUPIED");
      return resolvedPeer(peer, me);
    },
    "contacts.resolvePhone"({ phone }, { me }) {
      const user = byPhone(phone);
      if (user === undefined) throw new RpcFailure(400, "PHONE_NOT_OCCUPIED");
      return resolvedPeer(user, me);
    },
    "contacts.importContacts"({ contacts }, { me }) {
      const found = contacts.flatMap((contact) => {
        const user = contact._ === "inputPhoneContact" ? byPhone(contact.phone) : undefined;
        return user === undefined || contact._ !== "inputPhoneContact" ? [] : [{ user, clientId: contact.clientId }];
      });
      for (const { user } of found) me.contacts.add(user);
      return {
        _: "contacts.importedContacts",
        imported: found.map(({ user, clientId }) => ({ _: "importedContact", userId: user.id, clientId })),
        popularInvites: [],
        retryContacts: [],
        users: found.map(({ user }) => presentUser(user, me)),
      };
    },
    "contacts.addContact"({ id }, { me }) {
      const user = resolveUser(users, me, id);
      me.contacts.add(user);
      return updatesOf([], [user], me);
    },
    "contacts.deleteContacts"({ id }, { me }) {
      const gone = id.map((input) => resolveUser(users, me, input));
      for (const user of gone) me.contacts.delete(user);
      return updatesOf([], gone, me);
    },
    "contacts.getContacts"(_, { me }) {
      const contacts = [...me.contacts];
      return {
        _: "contacts.contacts",
        contacts: contacts.map((user) => ({ _: "contact", userId: user.id, mutual: user.contacts.has(me) })),
        savedCount: contacts.length,
        users: contacts.map((user) => presentUser(user, me)),
      };
    },
    "contacts.block": ({ id }, { me }) => block(me, id, true),
    "contacts.unblock": ({ id }, { me }) => block(me, id, false),
  };
}

function resolvedPeer(peer: Peer, me: User): tl.contacts.RawResolvedPeer {
  return { _: "contacts.resolvedPeer", peer: presentPeer(peer), ...presentAbout([peer], me) };
}
