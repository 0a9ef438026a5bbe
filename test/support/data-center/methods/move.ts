import { Long } from "@mtcute/core";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import { hex, random } from "#test/support/data-center/wire/hash.ts";
import type { Methods } from "./call.ts";
import { logIn } from "./login.ts";

/** Takes a login along to another data centre, as for the files that are there. */
export function moveMethods({ exported }: Cloud): Methods {
  return {
    "auth.exportAuthorization"(_, { me }) {
      const bytes = random(16);
      exported.set(hex(bytes), me);
      return { _: "auth.exportedAuthorization", id: Long.fromNumber(me.id), bytes };
    },
    "auth.importAuthorization"({ id, bytes }, { key }) {
      const user = exported.get(hex(bytes));
      if (user === undefined || id.neq(user.id)) throw new RpcFailure(400, "AUTH_BYTES_INVALID");
      exported.delete(hex(bytes));
      return logIn(key, user);
    },
  };
}
