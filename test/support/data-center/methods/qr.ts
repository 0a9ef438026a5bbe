import { unixTime, type Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { Key, User } from "#test/support/data-center/cloud/model.ts";
import { random } from "#test/support/data-center/wire/hash.ts";
import type { tl } from "@mtcute/core";
import type { Methods } from "./call.ts";
import { logIn, requireNoPassword } from "./login.ts";

const TOKEN_SECONDS = 30;

/** Login by a QR code that another device of the account scans. */
export function qrMethods({ tokens }: Cloud): Methods {
  const issue = (key: Key) => {
    const token = random(24);
    tokens.set(tokenText(token), key);
    return token;
  };
  const answer = (user: User | undefined, key: Key, dcId: number): tl.auth.TypeLoginToken => {
    if (user === undefined) return { _: "auth.loginToken", expires: unixTime() + TOKEN_SECONDS, token: issue(key) };
    if (user.homeDc !== dcId) return { _: "auth.loginTokenMigrateTo", dcId: user.homeDc, token: issue(key) };
    requireNoPassword(key, user);
    return { _: "auth.loginTokenSuccess", authorization: logIn(key, user) };
  };
  return {
    "auth.exportLoginToken": (_, { key, dcId }) => answer(key.standing.scannedBy, key, dcId),
    // The token was issued by the data centre that the client came from.
    "auth.importLoginToken": ({ token }, { key, dcId }) => answer(tokens.get(tokenText(token))?.standing.scannedBy, key, dcId),
  };
}

/** The token as a `tg://login?token=` link has it. */
function tokenText(token: Uint8Array): string {
  return Buffer.from(token).toString("base64url");
}
