import { describe, expect, test } from "bun:test";
import { createCipher } from "#src/core/cipher.ts";
import type { Account, LoginAnswer, QrLogin, UserGate } from "#src/modules/accounts/model.ts";
import { createAccountStore } from "#src/modules/accounts/store.ts";
import { createVault } from "#src/modules/accounts/vault.ts";
import { appEngines, SECRET, setup, type TestApp } from "#test/support/app.ts";
import { rejectionOf } from "#test/support/rejection.ts";
import { playUsers } from "#test/support/user-channel.ts";

const done: LoginAnswer = {
  ...{ kind: "done", session: "the keys of an account", telegram_id: 700, username: "sarah", phone: "+447700900123", name: "Sarah" },
};

const none: LoginAnswer = { kind: "expired", reason: "There is no login under way." };

/** An app whose logins come to what a test says, and a user account that waits for its login. */
async function town(engine: TestApp["db"]["engine"]) {
  const answers: (LoginAnswer | Promise<LoginAnswer>)[] = [];
  const canceled: number[] = [];
  let asked = Promise.withResolvers<void>();
  const next = (): Promise<LoginAnswer> => {
    asked.resolve();
    asked = Promise.withResolvers();
    return Promise.resolve(answers.shift() ?? none);
  };
  const cancel = (id: number) => Promise.resolve(void canceled.push(id));
  const userGate: UserGate = { sendCode: next, confirm: next, password: next, qr: next, cancel: ({ id }) => cancel(id) };
  const app = await setup({ engine, userGate, channels: () => [playUsers().channel] });
  const { body } = await app.live.post<Account>("/v1/accounts", { kind: "telegram_user", phone: "+447700900123" });
  const path = `/v1/accounts/${body.id}`;
  return {
    ...{ app, answers, canceled, id: body.id, path },
    /** Resolves once Telegram is asked. */
    asked: () => asked.promise,
    read: async () => (await app.live.get<Account>(path)).body,
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

describe.each(appEngines)("a login on %s", (engine) => {
  test("goes on where its last step was, whichever is answered last", async () => {
    await using login = await town(engine);
    const { app, answers, path } = login;
    const late = Promise.withResolvers<LoginAnswer>();
    answers.push(late.promise, { kind: "password_required" }, done);
    const asked = login.asked();
    const scanning = app.live.post<QrLogin>(`${path}/login/qr`);
    await asked;
    expect((await app.live.post<Account>(`${path}/login/confirm`, { code: "12345" })).body.status).toBe("password_required");
    const { body } = await app.live.post<Account>(`${path}/login/password`, { password: "correct horse" });
    expect(body).toMatchObject({ status: "connected", telegram_id: 700, name: "Sarah" });
    late.resolve({ kind: "password_required" });
    expect((await scanning).body).toEqual({ status: "connected", url: null, expires_at: null });
    expect(await login.read()).toMatchObject({ status: "connected", updated_at: body.updated_at });
  });

  test("ends with its account, and is not there for what is answered then", async () => {
    await using login = await town(engine);
    const { app, answers, canceled, id, path } = login;
    const late = Promise.withResolvers<LoginAnswer>();
    answers.push(late.promise);
    const asked = login.asked();
    const confirming = app.live.post(`${path}/login/confirm`, { code: "12345" });
    await asked;
    await app.live.delete(path);
    expect(canceled).toEqual([id]);
    late.resolve({ kind: "password_required" });
    expect((await confirming).status).toBe(404);
  });

  test("waits as long as Telegram asks, without asking it again", async () => {
    await using login = await town(engine);
    const { app, answers, path } = login;
    answers.push({ kind: "flood", seconds: 30, reason: "Too many logins." }, { kind: "code_sent", type: "app", timeout_s: 60 });
    const ask = async () => (await app.live.post(`${path}/login/code`)).status;
    expect([await ask(), await ask(), answers.length]).toEqual([409, 409, 1]);
    await app.advance(29_000);
    expect(await ask()).toBe(409);
    await app.advance(1_000);
    expect(await ask()).toBe(200);
  });

  test("says which of what was given is wrong", async () => {
    await using login = await town(engine);
    const { app, answers, path } = login;
    const given = [
      ["code", {}, "phone"],
      ["confirm", { code: "1" }, "code"],
      ["password", { password: "x" }, "password"],
    ] as const;
    for (const [step, body, field] of given) {
      answers.push({ kind: "refused", field, reason: "This is not it." });
      const refused = await app.live.post<{ details: object[] }>(`${path}/login/${step}`, step === "code" ? undefined : body);
      expect([refused.status, refused.body.details]).toEqual([422, [{ field, error: "refused" }]]);
    }
    expect((await login.read()).status).toBe("login_required");
  });

  test("leaves a session that only the same secret opens, which a start finds out", async () => {
    await using login = await town(engine);
    const { app, answers, path } = login;
    const start = (secret: string) => createVault({ store: createAccountStore(app.db), cipher: createCipher(secret) }).trySecret();
    await start("another secret of forty characters or so");
    answers.push(done);
    await app.live.post(`${path}/login/confirm`, { code: "12345" });
    const refusal = await rejectionOf(start("another secret of forty characters or so"));
    expect(String(refusal)).toMatch(/tokens and sessions .* set POSTHOUSE_SECRET/);
    await start(SECRET);
  });
});
