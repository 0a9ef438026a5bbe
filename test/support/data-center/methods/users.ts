import type { tl } from "@mtcute/core";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { User } from "#test/support/data-center/cloud/model.ts";
import { presentAbout, resolveMet } from "#test/support/data-center/cloud/peers.ts";
import { presentUser, resolveUser } from "#test/support/data-center/cloud/users.ts";
import { make } from "#test/support/data-center/tl/make.ts";
import type { Methods } from "./call.ts";

export function userMethods(cloud: Cloud): Methods {
  const userOf = (me: User, input: tl.TypeInputUser): User =>
    input._ === "inputUserFromMessage" ? resolveMet(cloud, me, input) : resolveUser(cloud.users, me, input);
  const present = (me: User, input: tl.TypeInputUser): tl.TypeUser => {
    try {
      return presentUser(userOf(me, input), me);
    } catch {
      // A wrong access hash is no error here.
      return { _: "userEmpty", id: "userId" in input ? input.userId : 0 };
    }
  };
  return {
    "users.getUsers": ({ id }, { me }) => id.map((input) => present(me, input)),
    "users.getFullUser"({ id }, { me }) {
      const user = userOf(me, id);
      return make("users.userFull", {
        fullUser: make("userFull", { id: user.id, blocked: me.blocked.has(user) }),
        ...presentAbout([user], me),
      });
    },
    "account.updateStatus": () => true,
  };
}
