import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Long } from "@mtcute/core";
import { rejectionOf } from "#test/support/rejection.ts";
import { spawnDataCenter } from "./remote.ts";
import type { DataCenter } from "./start.ts";
import { createTestClient } from "./test-client.ts";
import { startTestDataCenter, type TestDataCenter } from "./test-setup.ts";

let dc: DataCenter;
let addUser: TestDataCenter["addUser"];
let logIn: TestDataCenter["logIn"];
let loggedIn: TestDataCenter["loggedIn"];

beforeAll(async () => {
  ({ dc, addUser, logIn, loggedIn } = await startTestDataCenter({ dcIds: [2, 4] }));
});
afterAll(() => dc.stop());

describe("a data centre", () => {
  test.each(["intermediate", "padded", "obfuscated"] as const)("is spoken to over the %s transport", async (codec) => {
    await using sarah = await loggedIn({ codec });
    expect(await sarah.client.telegram.getMe()).toMatchObject({ id: sarah.user.id, username: sarah.user.username });
  });

  test("logs in by a code, and refuses a wrong one", async () => {
    const { phone } = addUser();
    await using client = createTestClient(dc);
    const { telegram } = client;
    const sent = await telegram.sendCode({ phone });
    if (!("phoneCodeHash" in sent)) throw new Error("already logged in");
    const { phoneCodeHash } = sent;
    expect(await rejectionOf(telegram.signIn({ phone, phoneCodeHash, phoneCode: "00000" }))).toMatchObject({ text: "PHONE_CODE_INVALID" });
    await telegram.signIn({ phone, phoneCodeHash, phoneCode: dc.codeFor(phone) });
    expect((await telegram.getMe()).phoneNumber).toBe(phone);
  });

  test("asks for the password of two-step verification", async () => {
    const { phone, id } = addUser({ password: "open sesame", passwordHint: "a cave" });
    await using client = createTestClient(dc);
    expect(await rejectionOf(logIn(client, phone))).toMatchObject({ text: "SESSION_PASSWORD_NEEDED" });
    expect(await client.telegram.getPasswordHint()).toBe("a cave");
    expect(await rejectionOf(client.telegram.checkPassword("sesame"))).toMatchObject({ text: "PASSWORD_HASH_INVALID" });
    await client.telegram.checkPassword("open sesame");
    expect((await client.telegram.getMe()).id).toBe(id);
  });

  test("sends a client on to the data centre where its account lives", async () => {
    const { phone, id } = addUser({ homeDc: 4 });
    await using client = createTestClient(dc);
    await logIn(client, phone);
    expect((await client.telegram.getMe()).id).toBe(id);
    expect(dc.calls.findLast(({ userId, method }) => userId === id && method === "users.getUsers")?.dcId).toBe(4);
  });

  test.each([{ homeDc: 2 }, { homeDc: 4 }, { homeDc: 2, password: "open sesame" }])("logs in by a QR code: %p", async (options) => {
    const user = addUser(options);
    await using client = createTestClient(dc);
    const me = await client.telegram.signInQr({
      onUrlUpdated: (url) => dc.acceptQr(url, user),
      ...(options.password && { password: options.password }),
    });
    expect(me.id).toBe(user.id);
  });

  test("ends a login", async () => {
    await using sarah = await loggedIn();
    await sarah.client.telegram.logOut();
    expect(dc.logins(sarah.user)).toBe(0);
  });

  test("writes where it is into a file", () => {
    const written: unknown = JSON.parse(readFileSync(dc.dcFile(), "utf8"));
    expect(written).toEqual({ main: dc.main, public_key_pem: dc.publicKeyPem });
  });
});

describe("messages", () => {
  test("go to a username and arrive at once", async () => {
    await using sarah = await loggedIn();
    await using tom = await loggedIn();
    const sent = await sarah.client.telegram.sendText(tom.user.username, "Hello <b>you</b>");
    expect(sent.text).toBe("Hello <b>you</b>");
    await tom.client.waitForTexts(1);
    expect(tom.client.texts).toEqual(["Hello <b>you</b>"]);
    expect(dc.history(tom.user)).toMatchObject([{ from: sarah.user.id, to: tom.user.id, text: "Hello <b>you</b>" }]);
  });

  test("of one's own telephone are told to one's other devices", async () => {
    await using sarah = await loggedIn();
    dc.deliver(sarah.user, addUser(), "from my telephone");
    await sarah.client.waitForTexts(1);
    expect(sarah.client.texts).toEqual(["from my telephone"]);
  });

  test("are taken once under a random id", async () => {
    await using sarah = await loggedIn();
    const { username } = addUser();
    const randomId = Long.fromNumber(4711);
    await sarah.client.telegram.sendText(username, "once", { randomId });
    expect(await rejectionOf(sarah.client.telegram.sendText(username, "once", { randomId }))).toMatchObject({
      text: "RANDOM_ID_DUPLICATE",
    });
    expect(dc.history(sarah.user)).toMatchObject([{ text: "once", randomId: "4711" }]);
  });

  test("can't be sent with the access hash of another account", async () => {
    await using sarah = await loggedIn();
    await using tom = await loggedIn();
    const stranger = addUser();
    const peer = await tom.client.telegram.resolvePeer(stranger.username);
    expect(await rejectionOf(sarah.client.telegram.sendText(peer, "hello"))).toMatchObject({ text: "PEER_ID_INVALID" });
  });

  test("are caught up on after a lost connection", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    dc.goDown();
    dc.deliver(tom, sarah.user, "missed");
    dc.comeUp();
    await dc.waitFor(() => dc.history(sarah.user).length === 1);
    await sarah.client.telegram.getMe();
    sarah.client.telegram.handleClientUpdate({ _: "updatesTooLong" }, false);
    await sarah.client.waitForTexts(1);
    dc.deliver(tom, sarah.user, "and then");
    await sarah.client.waitForTexts(2);
    expect(sarah.client.texts).toEqual(["missed", "and then"]);
  });

  test("are caught up on by a client that starts again with what it has stored, slice by slice", async () => {
    const { user, client } = await loggedIn();
    const tom = addUser();
    dc.deliver(tom, user, "0");
    await client.waitForTexts(1);
    await client.close();
    for (let count = 1; count <= 7; count++) dc.deliver(tom, user, String(count));
    dc.limitDifference({ slice: 3 });
    await using again = createTestClient(dc, { storage: client.storage });
    await again.telegram.connect();
    await again.telegram.startUpdatesLoop();
    await again.waitForTexts(7);
    dc.limitDifference();
    expect(again.texts).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
    expect(dc.logins(user)).toBe(1);
  });
});

describe("what goes wrong", () => {
  test("is refused as asked, so often and for whom", async () => {
    await using sarah = await loggedIn();
    const { username } = addUser();
    dc.fail("messages.sendMessage", 420, "FLOOD_WAIT_30", 1, sarah.user.id);
    const { telegram } = sarah.client;
    expect(await rejectionOf(telegram.sendText(username, "hello"))).toMatchObject({ text: "FLOOD_WAIT_%d", seconds: 30 });
    await telegram.sendText(username, "hello");
    expect(dc.history(sarah.user)).toHaveLength(1);
    expect(dc.calls.filter(({ userId, error }) => userId === sarah.user.id && error === "FLOOD_WAIT_30")).toHaveLength(1);
  });

  test("is a recipient who refuses", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    dc.refuse(tom, "USER_PRIVACY_RESTRICTED");
    expect(await rejectionOf(sarah.client.telegram.sendText(tom.username, "hello"))).toMatchObject({
      code: 403,
      text: "USER_PRIVACY_RESTRICTED",
    });
  });

  test("is a session that was ended elsewhere", async () => {
    await using sarah = await loggedIn();
    dc.revoke(sarah.user, "SESSION_REVOKED");
    expect(await rejectionOf(sarah.client.telegram.getMe())).toMatchObject({ code: 401, text: "SESSION_REVOKED" });
  });

  test("is an answer that gets lost, after which the same message is not sent twice", async () => {
    await using sarah = await loggedIn();
    const { username } = addUser();
    dc.loseAnswers("messages.sendMessage");
    const sent = sarah.client.telegram.sendText(username, "hello", { randomId: Long.fromNumber(1) });
    expect(await rejectionOf(sent)).toMatchObject({ text: "RANDOM_ID_DUPLICATE" });
    expect(dc.history(sarah.user)).toHaveLength(1);
  });

  test("is a salt that is no longer good, which clients do not notice", async () => {
    await using sarah = await loggedIn();
    dc.rotateSalts();
    expect((await sarah.client.telegram.getMe()).id).toBe(sarah.user.id);
  });

  test("is more that was missed than Telegram tells of, after which what comes next does come", async () => {
    const { user, client } = await loggedIn();
    const tom = addUser();
    dc.deliver(tom, user, "before");
    await client.waitForTexts(1);
    await client.close();
    for (let count = 0; count < 5; count++) dc.deliver(tom, user, "missed");
    dc.limitDifference({ total: 4 });
    const callsBefore = dc.calls.length;
    await using again = createTestClient(dc, { storage: client.storage });
    await again.telegram.connect();
    await again.telegram.startUpdatesLoop();
    await dc.waitFor(() => dc.calls.slice(callsBefore).some(({ method }) => method === "updates.getDifference"));
    dc.deliver(tom, user, "after");
    await again.waitForTexts(1);
    dc.limitDifference();
    expect(again.texts).toEqual(["after"]);
  });

  test("is a slow answer", async () => {
    await using sarah = await loggedIn();
    dc.delay("users.getUsers", 200);
    const started = performance.now();
    await sarah.client.telegram.getMe();
    expect(performance.now() - started).toBeGreaterThan(190);
  });

  test("is a method that the data centre does not have", async () => {
    await using sarah = await loggedIn();
    expect(await rejectionOf(sarah.client.telegram.call({ _: "help.getCdnConfig" }))).toMatchObject({ text: "METHOD_NOT_EMULATED" });
  });
});

test("a data centre in a process of its own has the same verbs", async () => {
  const remote = await spawnDataCenter();
  const sarah = await remote.addUser({ firstName: "Sarah", phone: "15550000001" });
  const tom = await remote.addUser({ firstName: "Tom", username: "tom" });
  const client = createTestClient(remote);
  const { telegram } = client;
  const sent = await telegram.sendCode({ phone: "15550000001" });
  if (!("phoneCodeHash" in sent)) throw new Error("already logged in");
  const phoneCode = await remote.codeFor("15550000001");
  await telegram.signIn({ phone: "15550000001", phoneCodeHash: sent.phoneCodeHash, phoneCode });
  await telegram.sendText("tom", "hello");
  await remote.waitForHistory(tom, 1);
  expect(await remote.history(tom)).toMatchObject([{ from: sarah.id, text: "hello" }]);
  const group = await remote.addGroup({ kind: "chat", title: "Friends", members: [sarah, tom] });
  const photo = await remote.deliver(tom, group, "look", { photo: new Uint8Array([1, 2, 3]) });
  expect(photo).toMatchObject({ to: group.id, media: { kind: "photo", bytes: 3 } });
  expect(await remote.fileOf(sarah, 2)).toBe("AQID");
  expect((await remote.calls()).map(({ method }) => method)).toContain("messages.sendMessage");
  expect(String(await rejectionOf(remote.deliver({ id: 1 }, tom, "hello")))).toContain("there is no user 1");
  await client.close();
  await remote.stop();
});
