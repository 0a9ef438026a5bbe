import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { Applicant, LoginAnswer, UserGate } from "#src/modules/accounts/model.ts";
import { createAttempt, type Attempt } from "./attempt.ts";
import type { TelegramUserOptions } from "./client.ts";
import { answerOfFault } from "./login-fault.ts";
import { confirmCode, confirmPassword, requestCode, requestQr } from "./login.ts";

interface Gate extends UserGate {
  close(): Promise<void>;
}

const ATTEMPT_MS_MAX = 600_000;
const NOT_CONFIGURED: LoginAnswer = {
  kind: "misconfigured",
  reason: "User accounts need TELEGRAM_API_ID and TELEGRAM_API_HASH, from https://my.telegram.org.",
};
const NONE: LoginAnswer = { kind: "expired", reason: "There is no login under way. Begin anew." };

export function createGate({ telegram, clock, log }: { telegram: TelegramUserOptions; clock: Clock; log: Log }): Gate {
  const attempts = new Map<string, Attempt>();
  /** The steps of one account's login follow one another. */
  const turns = new Map<string, Promise<unknown>>();

  function inTurn(who: Applicant, act: (key: string) => Promise<LoginAnswer>): Promise<LoginAnswer> {
    const key = `${who.env_id}:${who.id}`;
    const turn = (turns.get(key) ?? Promise.resolve()).then(() => act(key));
    const settled = turn.catch(() => undefined).finally(() => turns.get(key) === settled && turns.delete(key));
    turns.set(key, settled);
    return turn;
  }

  async function end(key: string): Promise<void> {
    const attempt = attempts.get(key);
    attempts.delete(key);
    await attempt?.close();
  }

  async function begin(key: string, who: Applicant): Promise<Attempt> {
    await end(key);
    const attempt = createAttempt({ telegram, clock, log, proxy: who.proxy });
    attempts.set(key, attempt);
    attempt.endAt(clock.now() + ATTEMPT_MS_MAX, () => {
      if (attempts.get(key) === attempt) void end(key);
    });
    return attempt;
  }

  /** One step of it. It is over when it is done, or can't go on. */
  async function step(key: string, attempt: Attempt, act: (attempt: Attempt) => Promise<LoginAnswer>): Promise<LoginAnswer> {
    const answer = await act(attempt).catch((error: unknown) => answerOfFault(error));
    const goesOn = ["code_sent", "qr", "password_required", "refused", "unreachable"].includes(answer.kind);
    if (!goesOn || (answer.kind === "refused" && answer.field === "phone")) await end(key);
    return answer;
  }

  async function beginWith(key: string, who: Applicant, act: (attempt: Attempt) => Promise<LoginAnswer>): Promise<LoginAnswer> {
    let attempt;
    try {
      attempt = await begin(key, who);
    } catch (error) {
      return { kind: "unreachable", reason: error instanceof Error ? error.message : "The proxy's address can't be used." };
    }
    return step(key, attempt, act);
  }

  const goOn = (key: string, act: (attempt: Attempt) => Promise<LoginAnswer>): Promise<LoginAnswer> => {
    const attempt = attempts.get(key);
    return attempt === undefined ? Promise.resolve(NONE) : step(key, attempt, act);
  };

  const isConfigured = telegram.api_id !== null && telegram.api_hash !== null;
  const guarded = (who: Applicant, act: (key: string) => Promise<LoginAnswer>) =>
    isConfigured ? inTurn(who, act) : Promise.resolve(NOT_CONFIGURED);

  return {
    sendCode: (who) =>
      guarded(who, (key) =>
        who.phone === null
          ? Promise.resolve({ kind: "refused", field: "phone", reason: "The account has no phone number: log in by QR." })
          : beginWith(key, who, requestCode(who.phone)),
      ),
    confirm: (who, code) => guarded(who, (key) => goOn(key, confirmCode(code))),
    password: (who, password) => guarded(who, (key) => goOn(key, confirmPassword(password))),
    qr: (who) => guarded(who, (key) => (attempts.get(key)?.state.kind === "qr" ? goOn(key, requestQr) : beginWith(key, who, requestQr))),
    async cancel(who) {
      await guarded(who, async (key) => {
        await end(key);
        return NONE;
      });
    },
    async close() {
      await Promise.all([...attempts.keys()].map(end));
    },
  };
}
