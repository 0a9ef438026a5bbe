import { describe, expect, test } from "bun:test";
import { createTelegramUser } from "#plugins/telegram-user/telegram-user.ts";
import { systemClock } from "#src/core/clock.ts";
import { silentLog } from "#src/core/log.ts";
import { account, setup } from "#test/support/telegram-user.ts";
import { createTestClock } from "#test/support/test-clock.ts";

const who = { ...account, phone: "+4915100000001", proxy: null };

describe("a login by code", () => {
  test("gives the session, and who it is", async () => {
    await using app = await setup();
    expect(await app.user.gate.sendCode(who)).toEqual({ kind: "code_sent", type: "app", timeout_s: expect.any(Number) });
    expect(await app.user.gate.confirm(who, app.dc.codeFor("4915100000001"))).toEqual({
      kind: "done",
      session: expect.any(String),
      telegram_id: app.ann.id,
      username: "ann_owner",
      phone: "+4915100000001",
      name: "Ann",
    });
  });

  test("takes a code again after a wrong one, and no password that is wrong", async () => {
    await using app = await setup();
    app.dc.addUser({ firstName: "Cat", phone: "4915100000003", password: "right one" });
    const cat = { ...who, phone: "+4915100000003" };
    await app.user.gate.sendCode(cat);
    expect(await app.user.gate.confirm(cat, "00000")).toMatchObject({ kind: "refused", field: "code" });
    expect(await app.user.gate.confirm(cat, app.dc.codeFor("4915100000003"))).toEqual({ kind: "password_required" });
    const refused = await app.user.gate.password(cat, "wrong one");
    expect(refused).toMatchObject({ kind: "refused", field: "password" });
    expect(JSON.stringify(refused)).not.toContain("wrong one");
    expect(await app.user.gate.password(cat, "right one")).toMatchObject({ kind: "done", name: "Cat" });
    expect(await app.user.gate.password(cat, "right one")).toMatchObject({ kind: "expired" });
  });

  test("moves to the data centre where the number is at home", async () => {
    await using app = await setup({ dcIds: [2, 4] });
    app.dc.moveHome(app.ann, 4);
    const link = await app.connected();
    expect(link.link.place).not.toBeNull();
    expect(await app.send({})).toMatchObject({ kind: "sent" });
  });

  test.each([
    [420, "FLOOD_WAIT_99", { kind: "flood", seconds: 99 }],
    [406, "PHONE_NUMBER_INVALID", { kind: "refused", field: "phone" }],
    [400, "PHONE_NUMBER_BANNED", { kind: "gone" }],
    [400, "PHONE_NUMBER_FLOOD", { kind: "flood", seconds: 86_400 }],
    [406, "PHONE_PASSWORD_FLOOD", { kind: "flood", seconds: 86_400 }],
    [400, "API_ID_INVALID", { kind: "misconfigured" }],
    [400, "API_ID_PUBLISHED_FLOOD", { kind: "misconfigured" }],
    [406, "UPDATE_APP_TO_LOGIN", { kind: "misconfigured" }],
    [500, "RPC_CALL_FAIL", { kind: "unreachable" }],
  ])("%i %s", async (code, text, expected) => {
    await using app = await setup();
    app.dc.fail("auth.sendCode", code, text);
    expect(await app.user.gate.sendCode(who)).toMatchObject(expected);
  });

  test("AUTH_RESTART restarts the step", async () => {
    await using app = await setup();
    app.dc.fail("auth.sendCode", 500, "AUTH_RESTART");
    expect(await app.user.gate.sendCode(who)).toMatchObject({ kind: "code_sent" });
  });

  test("PHONE_CODE_EXPIRED ends the attempt", async () => {
    await using app = await setup();
    await app.user.gate.sendCode(who);
    app.dc.fail("auth.signIn", 400, "PHONE_CODE_EXPIRED");
    expect(await app.user.gate.confirm(who, "12345")).toMatchObject({ kind: "expired" });
    expect(await app.user.gate.confirm(who, app.dc.codeFor("4915100000001"))).toMatchObject({ kind: "expired" });
  });

  test("SRP_ID_INVALID restarts the step", async () => {
    await using app = await setup();
    app.dc.addUser({ firstName: "Cat", phone: "4915100000003", password: "right one" });
    const cat = { ...who, phone: "+4915100000003" };
    await app.user.gate.sendCode(cat);
    await app.user.gate.confirm(cat, app.dc.codeFor("4915100000003"));
    app.dc.fail("auth.checkPassword", 400, "SRP_ID_INVALID");
    expect(await app.user.gate.password(cat, "right one")).toMatchObject({ kind: "done" });
  });

  test("takes a code that Telegram sends by e-mail, and it alone", async () => {
    await using app = await setup();
    app.dc.addUser({ firstName: "Cat", phone: "4915100000003", email: "set" });
    const cat = { ...who, phone: "+4915100000003" };
    expect(await app.user.gate.sendCode(cat)).toMatchObject({ kind: "code_sent", type: "email_code" });
    expect(await app.user.gate.confirm(cat, "00000")).toMatchObject({ kind: "refused", field: "code" });
    expect(await app.user.gate.confirm(cat, app.dc.codeFor("4915100000003"))).toMatchObject({ kind: "done", name: "Cat" });
  });

  test("says where Telegram wants an e-mail address first", async () => {
    await using app = await setup();
    app.dc.addUser({ firstName: "Cat", phone: "4915100000003", email: "required" });
    const refused = await app.user.gate.sendCode({ ...who, phone: "+4915100000003" });
    expect(refused).toMatchObject({ kind: "refused", field: "phone", reason: expect.stringContaining("e-mail") });
  });

  test("ends after ten minutes", async () => {
    const clock = createTestClock();
    await using app = await setup({ clock });
    await app.user.gate.sendCode(who);
    clock.advance(600_000);
    expect(await app.user.gate.confirm(who, app.dc.codeFor("4915100000001"))).toMatchObject({ kind: "expired" });
  });

  test("ends when it is cancelled, and when it begins anew", async () => {
    await using app = await setup();
    await app.user.gate.sendCode(who);
    await app.user.gate.cancel(who);
    expect(await app.user.gate.confirm(who, "12345")).toMatchObject({ kind: "expired" });
    await app.user.gate.sendCode(who);
    const first = app.dc.codeFor("4915100000001");
    await app.user.gate.sendCode(who);
    if (first !== app.dc.codeFor("4915100000001")) {
      expect(await app.user.gate.confirm(who, first)).toMatchObject({ kind: "refused" });
    }
  });

  test("needs somebody to answer", async () => {
    const clock = createTestClock();
    await using app = await setup({ clock });
    app.dc.goDown();
    const answer = app.user.gate.sendCode(who);
    await Promise.resolve();
    while (clock.nextTimer() === null) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(20_000);
    expect(await answer).toEqual({ kind: "unreachable", reason: "No answer from Telegram within 20 s." });
    app.dc.comeUp();
  });
});

describe("a login by QR", () => {
  test("shows an address until it is scanned", async () => {
    await using app = await setup();
    const shown = await app.user.gate.qr(who);
    expect(shown).toEqual({ kind: "qr", url: expect.stringMatching(/^tg:\/\/login\?token=[\w-]+$/), expires_at: expect.any(Number) });
    expect(await app.user.gate.qr(who)).toEqual(shown);
    app.dc.acceptQr(shown.kind === "qr" ? shown.url : "", app.ann);
    expect(await untilScanned(() => app.user.gate.qr(who))).toMatchObject({ kind: "done", telegram_id: app.ann.id });
  });

  test("moves to the data centre where the account is at home, and asks for its password", async () => {
    await using app = await setup({ dcIds: [2, 4] });
    const cat = app.dc.addUser({ firstName: "Cat", phone: "4915100000003", password: "right one" });
    app.dc.moveHome(cat, 4);
    const shown = await app.user.gate.qr(who);
    app.dc.acceptQr(shown.kind === "qr" ? shown.url : "", cat);
    expect(await untilScanned(() => app.user.gate.qr(who))).toEqual({ kind: "password_required" });
    expect(await app.user.gate.password(who, "right one")).toMatchObject({ kind: "done", telegram_id: cat.id });
  });

  test("AUTH_TOKEN_EXPIRED restarts the step", async () => {
    await using app = await setup();
    app.dc.fail("auth.exportLoginToken", 400, "AUTH_TOKEN_EXPIRED");
    expect(await app.user.gate.qr(who)).toMatchObject({ kind: "qr" });
  });
});

test("without TELEGRAM_API_ID no login begins", async () => {
  const user = createTelegramUser({ api_id: null, api_hash: null, dc: null, clock: systemClock, log: silentLog });
  expect(await user.gate.sendCode(who)).toMatchObject({ kind: "misconfigured" });
  expect(await user.gate.qr(who)).toMatchObject({ kind: "misconfigured" });
  await user.close();
});

/** That it was scanned is told over the connection, a moment later. */
async function untilScanned<T extends { kind: string }>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer.kind !== "qr") return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
