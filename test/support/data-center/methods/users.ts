import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import type { tl } from "@mtcute/core";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { User } from "#test/support/data-center/cloud/model.ts";
import { presentUser, resolveUser } from "#test/support/data-center/cloud/users.ts";
import type { Methods } from "./call.ts";

export function userMethods({ users }: Cloud): Methods {
  const present = (me: User, input: tl.TypeInputUser): tl.TypeUser => {
    try {
      return presentUser(resolveUser(users, me, input), me);
    } catch {
      // A wrong access hash is no error here.
      return { _: "userEmpty", id: "userId" in input ? input.userId : 0 };
    }
  };
  return {
    "users.getUsers": ({ id }, { me }) => id.map((input) => present(me, input)),
    "contacts.resolveUsername"({ username }, { me }) {
      const user = users.byUsername(username);
      if (user === undefined) throw new RpcFailure(400, "USERNAME_NOT_OCCUPIED");
      return resolvedPeer(user, me);
    },
    "contacts.resolvePhone"({ phone }, { me }) {
      const user = users.byPhone(phone);
      if (user === undefined) throw new RpcFailure(400, "PHONE_NOT_OCCUPIED");
      return resolvedPeer(user, me);
    },
    "account.updateStatus": () => true,
  };
}

function resolvedPeer(user: User, me: User): tl.contacts.RawResolvedPeer {
  return { _: "contacts.resolvedPeer", peer: { _: "peerUser", userId: user.id }, chats: [], users: [presentUser(user, me)] };
}
