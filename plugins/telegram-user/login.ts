import type { tl } from "@mtcute/core";
import type { LoginAnswer } from "#src/modules/accounts/model.ts";
import type { Attempt } from "./attempt.ts";
import { faultOf } from "./errors.ts";

type Step = (attempt: Attempt) => Promise<LoginAnswer>;

const NO_CODE: LoginAnswer = { kind: "expired", reason: "No code was asked for. Begin anew." };
const NO_ACCOUNT: LoginAnswer = {
  kind: "refused",
  field: "phone",
  reason: "No Telegram account has this number. Sign up in a Telegram app first.",
};

const NO_EMAIL: LoginAnswer = {
  kind: "refused",
  field: "phone",
  reason: "Telegram wants an e-mail address for logins with this number. Set it up in a Telegram app first.",
};

/** https://core.telegram.org/api/auth */
export function requestCode(phone: string): Step {
  const digits = phone.replace(/\D/g, "");
  return async (attempt) => {
    const ask = () => attempt.call({ _: "auth.sendCode", phoneNumber: digits, ...credentials(attempt), settings: { _: "codeSettings" } });
    const sent = await again("AUTH_RESTART", ask);
    if (sent._ === "auth.sentCodeSuccess") return finish(attempt, sent.authorization);
    if (sent._ === "auth.sentCodePaymentRequired")
      return { kind: "refused", field: "phone", reason: "Telegram asks for a payment with this number. Log in with a Telegram app first." };
    if (sent.type._ === "auth.sentCodeTypeSetUpEmailRequired") return NO_EMAIL;
    const isByEmail = sent.type._ === "auth.sentCodeTypeEmailCode";
    attempt.state = { kind: "code", phone: digits, hash: sent.phoneCodeHash, isByEmail };
    return { kind: "code_sent", type: typeOf(sent.type), timeout_s: sent.timeout ?? null };
  };
}

export const confirmCode =
  (code: string): Step =>
  async (attempt) => {
    const { state } = attempt;
    if (state.kind !== "code") return NO_CODE;
    return orPassword(async () => {
      const given = state.isByEmail ? { emailVerification: { _: "emailVerificationCode", code } as const } : { phoneCode: code };
      const answer = await attempt.call({ _: "auth.signIn", phoneNumber: state.phone, phoneCodeHash: state.hash, ...given });
      return finish(attempt, answer);
    });
  };

/** https://core.telegram.org/api/srp: the password itself does not leave the process. */
export const confirmPassword =
  (password: string): Step =>
  (attempt) =>
    again("SRP_ID_INVALID", async () => {
      const asked = await attempt.call({ _: "account.getPassword" });
      const proof = await attempt.client.computeSrpParams(asked, password);
      return finish(attempt, await attempt.call({ _: "auth.checkPassword", password: proof }));
    });

/** https://core.telegram.org/api/qr-login */
export const requestQr: Step = (attempt) => {
  const { state, clock } = attempt;
  if (state.kind === "qr" && !state.isScanned && clock.now() < state.expires_at) return Promise.resolve(qrOf(state));
  return orPassword(() =>
    again("AUTH_TOKEN_EXPIRED", async () => {
      const token = await attempt.call({ _: "auth.exportLoginToken", ...credentials(attempt), exceptIds: [] });
      if (token._ !== "auth.loginTokenMigrateTo") return settleQr(attempt, token);
      await attempt.client.changePrimaryDc(token.dcId);
      return settleQr(attempt, await attempt.call({ _: "auth.importLoginToken", token: token.token }));
    }),
  );
};

async function settleQr(attempt: Attempt, token: tl.auth.TypeLoginToken): Promise<LoginAnswer> {
  if (token._ === "auth.loginTokenSuccess") return finish(attempt, token.authorization);
  if (token._ === "auth.loginTokenMigrateTo") return { kind: "expired", reason: "Telegram has sent the login on twice. Begin anew." };
  const url = `tg://login?token=${Buffer.from(token.token).toString("base64url")}`;
  attempt.state = { kind: "qr", url, expires_at: token.expires * 1_000, isScanned: false };
  return qrOf(attempt.state);
}

const qrOf = ({ url, expires_at }: { url: string; expires_at: number }): LoginAnswer => ({ kind: "qr", url, expires_at });

async function finish(attempt: Attempt, authorization: tl.auth.TypeAuthorization): Promise<LoginAnswer> {
  if (authorization._ === "auth.authorizationSignUpRequired") return NO_ACCOUNT;
  const { id, username, usernames, phone, firstName = "", lastName = "" } = await attempt.client.notifyLoggedIn(authorization);
  return {
    kind: "done",
    session: attempt.storage.session(),
    telegram_id: id,
    username: username ?? usernames?.find((name) => name.active)?.username ?? null,
    phone: phone === undefined ? null : `+${phone}`,
    name: `${firstName} ${lastName}`.trim(),
  };
}

async function orPassword(act: () => Promise<LoginAnswer>): Promise<LoginAnswer> {
  try {
    return await act();
  } catch (error) {
    if (faultOf(error)?.name === "SESSION_PASSWORD_NEEDED") return { kind: "password_required" };
    throw error;
  }
}

/** Telegram asks to restart such a step: once. */
async function again<T>(name: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (faultOf(error)?.name === name) return act();
    throw error;
  }
}

const credentials = ({ telegram: { api_id, api_hash } }: Attempt) => ({ apiId: api_id ?? 0, apiHash: api_hash ?? "" });

/** `auth.sentCodeTypeFlashCall` is `flash_call`. */
const typeOf = (type: tl.auth.TypeSentCodeType) =>
  type._.replace("auth.sentCodeType", "")
    .replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`)
    .toLowerCase();
