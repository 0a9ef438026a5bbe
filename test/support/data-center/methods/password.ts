import { challenge, isProven, presentPassword } from "#test/support/data-center/cloud/password.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import type { Methods } from "./call.ts";
import { logIn } from "./login.ts";

/** Two-step verification. */
export function passwordMethods(): Methods {
  return {
    async "account.getPassword"(_, { key: { standing } }) {
      const password = (standing.user ?? standing.pending)?.password;
      if (password === undefined) return presentPassword();
      standing.srp = await challenge(password);
      return presentPassword(password, standing.srp);
    },
    async "auth.checkPassword"({ password: proof }, { key }) {
      const { pending: user, srp } = key.standing;
      const isAnswer = proof._ === "inputCheckPasswordSRP" && srp !== undefined && proof.srpId.eq(srp.id);
      if (!isAnswer || user?.password === undefined) throw new RpcFailure(400, "SRP_ID_INVALID");
      delete key.standing.srp;
      if (!(await isProven(user.password, srp, proof))) throw new RpcFailure(400, "PASSWORD_HASH_INVALID");
      return logIn(key, user);
    },
  };
}
