import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { createCipher } from "#src/core/cipher.ts";
import type { Event } from "#src/modules/events/model.ts";
import type { QrLogin } from "#src/modules/accounts/model.ts";
import type { Page } from "#src/core/page.ts";
import { executable } from "#test/support/executable.ts";
import { eventually, messageWhen, outcomeOf, send } from "./api.ts";
import { accountWhen, ANN, listening, type LiveUser, startLiveUser } from "./live-user.ts";
import { dataOf } from "./posthouse.ts";

beforeAll(() => executable(), 60_000);

const PASSWORD = "correct horse battery staple";

async function events({ caller }: LiveUser, type: string): Promise<Event[]> {
  return (await caller.get<Page<Event>>(`/v1/events?type=${type}&limit=200`)).body.items;
}

describe("a user account", () => {
  test("logs in by code, writes to a username, and hears the answer", async () => {
    await using live = await startLiveUser();
    const { dc, ann, bob, caller, account } = live;
    expect(await live.read()).toMatchObject({
      status: "login_required",
      phone: ANN,
      daily_cap: 50,
      new_peer_daily_cap: 10,
      gap_seconds: [2, 6],
    });
    expect(await live.login()).toMatchObject({ status: "connected", username: "ann_owner", name: "Ann" });
    const sent = await outcomeOf(caller, await send(caller, account, "@bob_other", "Hello {first_name}"));
    expect(sent).toMatchObject({ status: "sent", text: "Hello Bob", channel: "telegram" });
    expect(await dc.history(bob)).toMatchObject([{ text: "Hello Bob" }]);
    await listening(live);
    await dc.deliver(bob, ann, "Hello yourself");
    const [received] = await eventually(
      "the answer is not heard",
      () => events(live, "message.received"),
      (heard) => heard.length > 0,
    );
    expect(received).toMatchObject({ account_id: account, contact: "@bob_other", text: "Hello yourself", thread_id: sent.thread_id });
    await dc.read(bob, ann);
    expect(await messageWhen(caller, sent.id, ({ status }) => status === "read")).toMatchObject({ status: "read" });
  });

  test("logs in by QR code, on another data centre than it asked first", async () => {
    await using live = await startLiveUser();
    const { dc, ann, caller, account } = live;
    await dc.moveHome(ann, 4);
    const ask = async () => (await caller.post<QrLogin>(`/v1/accounts/${account}/login/qr`)).body;
    const { url } = await ask();
    expect(url).toStartWith("tg://login?token=");
    await dc.acceptQr(url!, ann);
    expect(await eventually("it is not scanned", ask, ({ status }) => status === "connected")).toEqual({
      status: "connected",
      url: null,
      expires_at: null,
    });
    expect(await live.read()).toMatchObject({ status: "connected", username: "ann_owner" });
  });

  test("asks for the two-step password, and again after a wrong one", async () => {
    await using live = await startLiveUser({ password: PASSWORD });
    const { caller, account } = live;
    expect(await live.login()).toMatchObject({ status: "password_required" });
    const wrong = await caller.post<{ details: unknown[] }>(`/v1/accounts/${account}/login/password`, { password: "wrong" });
    expect([wrong.status, wrong.body.details]).toMatchObject([422, [{ field: "password" }]]);
    const right = await caller.post(`/v1/accounts/${account}/login/password`, { password: PASSWORD });
    expect(right.body).toMatchObject({ status: "connected" });
  });

  test("refuses a wrong code on its field, and takes the right one afterwards", async () => {
    await using live = await startLiveUser();
    const { dc, caller, account } = live;
    const path = `/v1/accounts/${account}/login`;
    expect((await caller.post(`${path}/confirm`, { code: "11111" })).status).toBe(409);
    expect((await caller.post(`${path}/code`)).body).toMatchObject({ type: "app" });
    const code = await dc.codeFor(ANN);
    const wrong = await caller.post<{ details: unknown[] }>(`${path}/confirm`, { code: code === "11111" ? "22222" : "11111" });
    expect([wrong.status, wrong.body.details]).toMatchObject([422, [{ field: "code" }]]);
    expect((await caller.post(`${path}/confirm`, { code })).body).toMatchObject({ status: "connected" });
  });

  test("that is revoked says so, keeps its queue, and sends it once it is logged in again", async () => {
    await using live = await startLiveUser();
    const { dc, ann, bob, caller, account } = live;
    await live.login();
    await outcomeOf(caller, await send(caller, account, "@bob_other", "before"));
    await caller.patch(`/v1/accounts/${account}`, { gap_seconds: [0, 0] });
    await dc.revoke(ann);
    const ids = [await send(caller, account, "@bob_other", "one"), await send(caller, account, "@bob_other", "two")];
    const cut = await accountWhen(live, ({ status }) => status === "disconnected");
    expect(cut.status_reason).toContain("SESSION_REVOKED");
    expect((await events(live, "account.disconnected")).map(({ data }) => data)).toMatchObject([{ id: account, status: "disconnected" }]);
    for (const id of ids) expect((await caller.get(`/v1/messages/${id}`)).body).toMatchObject({ status: "queued" });
    await live.login();
    for (const id of ids) expect(await outcomeOf(caller, id)).toMatchObject({ status: "sent" });
    expect((await dc.history(bob)).map(({ text }) => text)).toEqual(["before", "one", "two"]);
  });

  test("goes on after a restart, a kill and a lost connection, and hears what was said meanwhile", async () => {
    await using live = await startLiveUser();
    const { dc, ann, bob, account } = live;
    await live.login();
    await live.caller.patch(`/v1/accounts/${account}`, { gap_seconds: [0, 0] });
    await listening(live);
    await dc.deliver(bob, ann, "first");
    const heard = async () => (await events(live, "message.received")).map(({ text }) => text!);
    await eventually("the first is not heard", heard, (texts) => texts.length === 1);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await live.posthouse.stop(signal);
      await dc.deliver(bob, ann, `after ${signal}`);
      await live.restart();
    }
    await eventually("what was said meanwhile is not heard", heard, (texts) => texts.length === 3);
    await dc.dropConnections();
    await dc.deliver(bob, ann, "after a lost connection");
    expect((await eventually("the last is not heard", heard, (texts) => texts.length === 4)).toSorted()).toEqual([
      "after SIGKILL",
      "after SIGTERM",
      "after a lost connection",
      "first",
    ]);
    expect(await outcomeOf(live.caller, await send(live.caller, account, "@bob_other", "still here"))).toMatchObject({ status: "sent" });
  });

  test("leaves nothing secret in logs, in answers or in the data", async () => {
    await using live = await startLiveUser({ password: PASSWORD });
    const { dc, folder, caller, account, env } = live;
    const path = `/v1/accounts/${account}/login`;
    await caller.post(`${path}/code`);
    const code = await dc.codeFor(ANN);
    await caller.post(`${path}/confirm`, { code });
    await caller.post(`${path}/password`, { password: PASSWORD });
    await outcomeOf(caller, await send(caller, account, "@bob_other", "a text of its own"));
    const paths = [
      "/v1/accounts",
      `/v1/accounts/${account}`,
      "/v1/messages",
      "/v1/threads",
      "/v1/events?limit=200",
      "/v1/audit",
      "/metrics",
    ];
    const answers = (await Promise.all(paths.map(async (path) => (await caller.get(path)).text))).join("\n");
    for (const secret of [PASSWORD, env["TELEGRAM_API_HASH"]!, `"${code}"`]) expect(answers).not.toContain(secret);
    await live.posthouse.stop();
    const data = readdirSync(dataOf(folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "secret.key")
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
      .join("\n");
    const shown = [live.posthouse.out(), ...live.posthouse.log()].join("\n");
    for (const secret of [PASSWORD, env["TELEGRAM_API_HASH"]!]) expect(data + shown).not.toContain(secret);
    expect(shown).not.toContain(code);
    expect(shown).not.toContain("a text of its own");
    // A session holds auth keys: what is kept of it is sealed, and is nowhere else.
    using db = new Database(join(dataOf(folder), "posthouse.db"), { readonly: true });
    const sealed = db
      .query<{ env_id: number; session: string }, []>("select env_id, session from connections where session is not null")
      .get()!;
    const cipher = createCipher(readFileSync(join(dataOf(folder), "secret.key"), "utf8").trim());
    const session = cipher.open(sealed.session, `session:${sealed.env_id}:${account}`);
    expect(session.length).toBeGreaterThan(100);
    for (const secret of [session, session.slice(20, 80)]) expect(data + shown + answers).not.toContain(secret);
  });
});
