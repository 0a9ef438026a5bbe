import { randomInt } from "node:crypto";
import type { tl } from "@mtcute/core";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { User } from "#test/support/data-center/cloud/model.ts";
import { digitsOf } from "#test/support/data-center/cloud/users.ts";
import { make } from "#test/support/data-center/tl/make.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import { hex, random } from "#test/support/data-center/wire/hash.ts";
import type { Methods } from "./call.ts";
import { logIn, requireNoPassword } from "./login.ts";

const CODE_LENGTH = 5;

/** Login by a code that Telegram sends to the account's other devices. */
export function codeMethods({ users, codes, changes }: Cloud): Methods {
  const send = (phone: string): tl.auth.RawSentCode => {
    const phoneCodeHash = hex(random(9));
    codes.set(phoneCodeHash, { phone, code: String(randomInt(10 ** (CODE_LENGTH - 1), 10 ** CODE_LENGTH)) });
    changes.notify();
    return make("auth.sentCode", { type: typeOf(users.byPhone(phone)), phoneCodeHash, timeout: 60 });
  };
  return {
    "auth.sendCode"({ phoneNumber }, { dcId }) {
      const phone = digitsOf(phoneNumber);
      if (phone.length < 5 || phone.length > 15) throw new RpcFailure(406, "PHONE_NUMBER_INVALID");
      const user = users.byPhone(phone);
      if (user !== undefined && user.homeDc !== dcId) throw new RpcFailure(303, `PHONE_MIGRATE_${user.homeDc}`);
      return send(phone);
    },
    "auth.resendCode"({ phoneNumber, phoneCodeHash }) {
      if (!codes.delete(phoneCodeHash)) throw new RpcFailure(400, "PHONE_CODE_EXPIRED");
      return send(digitsOf(phoneNumber));
    },
    "auth.cancelCode": ({ phoneCodeHash }) => codes.delete(phoneCodeHash),
    "auth.signIn"({ phoneNumber, phoneCodeHash, phoneCode, emailVerification }, { key }) {
      const phone = digitsOf(phoneNumber);
      const sent = codes.get(phoneCodeHash);
      if (sent?.phone !== phone) throw new RpcFailure(400, "PHONE_CODE_EXPIRED");
      const user = users.byPhone(phone);
      if (user?.email === "set") {
        const given = emailVerification?._ === "emailVerificationCode" ? emailVerification.code : "";
        if (sent.code !== given) throw new RpcFailure(400, "EMAIL_CODE_INVALID");
      } else if (sent.code !== phoneCode) throw new RpcFailure(400, "PHONE_CODE_INVALID");
      if (user === undefined) return make("auth.authorizationSignUpRequired");
      codes.delete(phoneCodeHash);
      requireNoPassword(key, user);
      return logIn(key, user);
    },
    "auth.logOut"(_, { key }) {
      delete key.standing.user;
      return { _: "auth.loggedOut" };
    },
  };
}

function typeOf(user: User | undefined): tl.auth.TypeSentCodeType {
  if (user?.email === "required") return make("auth.sentCodeTypeSetUpEmailRequired");
  if (user?.email === "set") return make("auth.sentCodeTypeEmailCode", { emailPattern: "s***h@example.com", length: CODE_LENGTH });
  return { _: "auth.sentCodeTypeApp", length: CODE_LENGTH };
}
