import { beforeAll, describe, expect, test } from "bun:test";
import type { Message } from "#src/modules/messages/model.ts";
import { executable } from "#test/support/executable.ts";
import { connect, eventually, outcomeOf } from "./api.ts";
import { startLive } from "./live.ts";
import { type Posthouse, runPosthouse, startPosthouse } from "./posthouse.ts";

beforeAll(() => executable(), 60_000);

/** Runs a command on the data of a running server. @returns the JSON that it prints */
async function command<Result>({ folder }: Pick<Posthouse, "folder">, ...args: string[]): Promise<Result> {
  const { code, out, err } = await runPosthouse(folder, [...args, "--json"]);
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${err}`);
  return JSON.parse(out) as Result;
}

const createKey = (posthouse: Posthouse, ...flags: string[]) =>
  command<{ id: string; key: string }>(posthouse, "keys", "create", "--name", "ci", "--scopes", "write:messages,read:messages", ...flags);

describe("beside a running serve", () => {
  test("a key that keys create makes works at once", async () => {
    await using posthouse = await startPosthouse();
    const client = await connect(posthouse);
    const { id, key } = await createKey(posthouse, "--test");
    const me = await client.as(key).get("/v1/me");
    expect(me).toMatchObject({ status: 200, body: { key_id: id, name: "ci", mode: "test", environment: "sandbox" } });
  });

  test("a key that keys revoke ends is refused at once, although it was used before", async () => {
    await using posthouse = await startPosthouse();
    const client = await connect(posthouse);
    const { id, key } = await createKey(posthouse, "--test");
    expect((await client.as(key).get("/v1/messages")).status).toBe(200);
    await command(posthouse, "keys", "revoke", id);
    expect((await client.as(key).get("/v1/messages")).body).toMatchObject({ code: "unauthorized" });
  });

  test("keys rotate makes a successor that works at once; the old key ends where there is no overlap", async () => {
    await using posthouse = await startPosthouse();
    const client = await connect(posthouse);
    const old = await createKey(posthouse, "--test");
    expect((await client.as(old.key).get("/v1/me")).status).toBe(200);
    const next = await command<{ key: string }>(posthouse, "keys", "rotate", old.id, "--overlap", "0");
    expect((await client.as(next.key).get("/v1/me")).body).toMatchObject({ name: "ci" });
    expect((await client.as(old.key).get("/v1/me")).status).toBe(401);
  });

  test("what send queues in the sandbox is sent at once", async () => {
    await using posthouse = await startPosthouse();
    const sent = await command<Message>(posthouse, "send", "--test", "--to", "@sarah_miller", "--text", "Hey {first_name}", "--wait", "10");
    expect(sent).toMatchObject({ status: "sent", text: "Hey Sarah" });
    // It was the server that sent it, not the next thing that happened to wake it.
    expect(Date.parse(sent.sent_at!) - Date.parse(sent.created_at)).toBeLessThan(1_000);
  });

  test("what send queues for a bot reaches Telegram at once", async () => {
    await using live = await startLive();
    const chat = live.telegram.addPrivateChat(live.bot);
    const { id } = await command<Message>(
      live.posthouse,
      "send",
      "--to",
      String(chat.id),
      "--text",
      "Hello",
      "--account",
      String(live.account),
    );
    await live.telegram.waitFor(() => live.telegram.sent.length === 1);
    expect(await outcomeOf(live.caller, id)).toMatchObject({ status: "sent", text: "Hello" });
  });

  test("a message that send schedules goes out when it is due", async () => {
    await using posthouse = await startPosthouse();
    const caller = (await connect(posthouse)).as(await posthouse.sandboxKey());
    const due = new Date(Date.now() + 1_500);
    const flags = ["--test", "--to", "@sarah_miller", "--text", "Later", "--schedule-at", due.toISOString()];
    const { id, status } = await command<Message>(posthouse, "send", ...flags);
    expect(status).toBe("queued");
    const sent = await outcomeOf(caller, id);
    expect(sent.status).toBe("sent");
    expect(Date.parse(sent.sent_at!)).toBeGreaterThanOrEqual(due.getTime());
  });

  test("a workspace made by a command has environments, keys and a sandbox that serve knows at once", async () => {
    await using posthouse = await startPosthouse();
    const client = await connect(posthouse);
    const first = client.as(await posthouse.sandboxKey());
    await command(posthouse, "workspaces", "create", "--name", "acme", "--plan", "builder");
    await command(posthouse, "environments", "create", "--name", "staging", "--workspace", "acme");
    const { key } = await createKey(posthouse, "--env", "staging", "--workspace", "acme");
    const staging = client.as(key);
    expect((await staging.get("/v1/me")).body).toMatchObject({
      environment: "staging",
      workspace: { name: "acme", plan: "builder" },
      rate_limit: 120,
    });
    const ask = { account_id: 7421, to: "@sarah_miller", text: "Hello" };
    const { body } = await staging.post<{ id: string }>("/v1/messages/send", ask);
    expect(await outcomeOf(staging, body.id)).toMatchObject({ status: "sent" });
    expect((await first.get(`/v1/messages/${body.id}`)).status).toBe(404);
  });

  test("a plan that workspaces set changes is the limit of the next request", async () => {
    await using posthouse = await startPosthouse();
    const caller = (await connect(posthouse)).as(await posthouse.sandboxKey());
    const limit = async () => (await caller.get("/v1/me")).headers.get("x-ratelimit-limit");
    expect(await limit()).toBe("600");
    await command(posthouse, "workspaces", "set", "--plan", "enterprise");
    expect(await limit()).toBe("1000");
  });

  test("several commands at once all succeed", async () => {
    await using posthouse = await startPosthouse();
    const client = await connect(posthouse);
    const made = await Promise.all(Array.from({ length: 6 }, () => createKey(posthouse, "--test")));
    for (const { key } of made) expect((await client.as(key).get("/v1/me")).status).toBe(200);
  });
});

test("what send queues while nobody serves goes out with the next start", async () => {
  await using live = await startLive();
  const chat = live.telegram.addPrivateChat(live.bot);
  await live.posthouse.stop();
  const { id } = await command<Message>(live.posthouse, "send", "--to", String(chat.id), "--text", "Hello");
  const { caller } = await live.restart();
  await eventually(
    "nothing arrives",
    () => Promise.resolve(live.telegram.sent.length),
    (sent) => sent === 1,
  );
  expect(await outcomeOf(caller, id)).toMatchObject({ status: "sent" });
});
