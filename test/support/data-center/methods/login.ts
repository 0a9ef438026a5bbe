import type { tl } from "@mtcute/core";
import type { Key, User } from "#test/support/data-center/cloud/model.ts";
import { presentUser } from "#test/support/data-center/cloud/users.ts";
import { make } from "#test/support/data-center/tl/make.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";

/** Logs a user in who needs no password, or has given it. */
export function logIn({ standing }: Key, user: User): tl.auth.RawAuthorization {
  delete standing.pending;
  delete standing.scannedBy;
  delete standing.revoked;
  standing.user = user;
  return make("auth.authorization", { user: presentUser(user, user) });
}

/** @throws RpcFailure if the user has a password, which is to be asked for next */
export function requireNoPassword({ standing }: Key, user: User): void {
  if (user.password === undefined) return;
  standing.pending = user;
  throw new RpcFailure(401, "SESSION_PASSWORD_NEEDED");
}
