import { describe, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { plainSignature } from "#src/modules/webhooks/signing.ts";
import { readOutput } from "#test/e2e/output.ts";
import { type CommandLine, commandLine } from "#test/support/command-line.ts";
import { openReceiver } from "#test/support/receiver.ts";
import { runCommand } from "#test/support/terminal.ts";

const SCOPES = "read:messages,read:contacts,write:contacts";

type Server = Awaited<ReturnType<CommandLine["serve"]>>;

async function makeKey(at: CommandLine, ...flags: string[]): Promise<string> {
  return (await at.json<{ key: string }>("keys", "create", "--name", "listen", "--scopes", SCOPES, ...flags)).key;
}

/** A data folder with a server and a key of its sandbox. */
async function setup() {
  const stack = new AsyncDisposableStack();
  const at = stack.use(commandLine());
  const receiver = stack.use(openReceiver());
  const server = await at.serve();
  const key = await makeKey(at, "--test");
  return { at, receiver, server, key, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The command in a process of its own, which listens already. */
async function startListening(url: string, key: string, ...flags: string[]) {
  const main = `${import.meta.dir}/../../src/main.ts`;
  const child = Bun.spawn([process.execPath, main, "listen", ...flags], {
    env: { PATH: process.env["PATH"] ?? "", POSTHOUSE_URL: url, POSTHOUSE_KEY: key },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = [readOutput(child.stdout), readOutput(child.stderr)];
  await err.awaited("listening", (text) => text.includes("listening to") || undefined);
  return {
    out,
    err,
    exited: child.exited,
    /** @returns the exit code */
    async end(signal: NodeJS.Signals = "SIGINT"): Promise<number> {
      child.kill(signal);
      const code = await child.exited;
      await Promise.all([out.ended, err.ended]);
      return code;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** Makes a contact for each, which is an event for each. */
async function happen({ url }: Pick<Server, "url">, key: string, ...usernames: string[]): Promise<void> {
  for (const username of usernames) {
    const answer = await fetch(`${url}/v1/contacts`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ username }),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }
}

async function logOf({ url }: Pick<Server, "url">, key: string): Promise<{ id: string; created_at: string; subject: string }[]> {
  const answer = await fetch(`${url}/v1/events?limit=200`, { headers: { authorization: `Bearer ${key}` } });
  return ((await answer.json()) as { items: { id: string; created_at: string; subject: string }[] }).items;
}

test("events arrive as webhooks do, signed with the secret that was printed, and each is told in a line", async () => {
  await using on = await setup();
  await using server = on.server;
  await happen(server, on.key, "@before");
  await using listening = await startListening(server.url, on.key, "--forward", on.receiver.url());
  await happen(server, on.key, "@sarah", "@tom");
  const received = await on.receiver.waitFor(2);
  await listening.out.awaited("a second line", (text) => text.split("contact.created").length > 2 || undefined);
  expect(await listening.end()).toBe(0);
  const [, ...events] = await logOf(server, on.key);
  expect(received.map(({ body }) => body)).toEqual(events.map((event) => JSON.stringify(event)));
  const out = listening.out.text();
  const [, secret = ""] = /^ {2}(whsec_\S+)$/m.exec(out) ?? [];
  for (const { headers, body, id } of received) {
    new Webhook(secret).verify(body, headers.toJSON());
    expect(headers.get("x-signature")).toBe(plainSignature(secret, body, "sha256=hex"));
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("user-agent")).toBe("Posthouse-Webhooks/1");
    expect(events.map(({ id }) => id)).toContain(id);
  }
  const lines = out.split("\n").filter((line) => line.startsWith("20"));
  expect(lines.map((line) => line.replace(/\d+ ms$/, "MS"))).toEqual(
    events.map(({ created_at, subject }) => `${created_at}  contact.created        ${subject}  200  MS`),
  );
  expect(out + listening.err.text()).not.toContain(on.key);
});

test("only events of the names that are asked for are forwarded, with a secret and a signature of one's own, after a given event", async () => {
  await using on = await setup();
  await using server = on.server;
  await happen(server, on.key, "@first", "@second");
  const [first] = await logOf(server, on.key);
  const secret = "a-secret-of-my-own-of-24-bytes";
  const flags = ["--secret", secret, "--signature-header", "X-Acme-Signature", "--signature-format", "hex", "--after", first!.id];
  await using listening = await startListening(server.url, on.key, "--forward", on.receiver.url(), "--events", "contact.*", ...flags);
  await on.receiver.waitFor(1);
  await on.at.json("send", "--test", "--to", "@sarah_miller", "--text", "Hello");
  await happen(server, on.key, "@third");
  const received = await on.receiver.waitFor(2);
  expect(await listening.end("SIGTERM")).toBe(0);
  expect(received.map(({ body }) => /"username":"@?(\w+)"/.exec(body)?.[1])).toEqual(["second", "third"]);
  for (const { headers, body } of received) {
    expect(headers.get("x-acme-signature")).toBe(plainSignature(secret, body, "hex"));
    expect(headers.has("x-signature")).toBe(false);
  }
  expect(listening.out.text()).not.toContain(secret);
});

test("what a receiver refuses is told and not sent again", async () => {
  await using on = await setup();
  await using server = on.server;
  on.receiver.answer("/hook", ({ body }) => (body.includes("refused") ? 500 : 200));
  await using listening = await startListening(server.url, on.key, "--forward", on.receiver.url());
  await happen(server, on.key, "@refused", "@taken");
  await listening.out.awaited("an answer", (text) => text.includes("  200  ") || undefined);
  await on.receiver[Symbol.asyncDispose]();
  await happen(server, on.key, "@lost");
  await listening.out.awaited("a failure", (text) => /failed \(.*\n/.test(text) || undefined);
  expect(await listening.end()).toBe(0);
  expect(on.receiver.received).toHaveLength(2);
  expect(
    listening.out
      .text()
      .split("\n")
      .filter((line) => line.startsWith("20"))
      .map((line) => line.split("  ").at(-2)),
  ).toEqual(["500", "200", expect.stringMatching(/^failed \(connect: .+\)$/)]);
});

describe("when the server is started again", () => {
  test.each([
    ["nothing has ever happened", false, false],
    ["nothing has come yet", true, false],
    ["something has come", true, true],
  ])("and %s before, it goes on without a gap or a repeat", async (_, isLogged, hasCome) => {
    await using on = await setup();
    const before = isLogged ? ["@earlier"] : [];
    await happen(on.server, on.key, ...before);
    await using listening = await startListening(on.server.url, on.key, "--forward", on.receiver.url());
    if (hasCome) await happen(on.server, on.key, "@one", "@two");
    await on.receiver.waitFor(hasCome ? 2 : 0);
    await on.server.stop();
    await on.at.json("send", "--test", "--to", "@sarah_miller", "--text", "Hello");
    await listening.err.awaited("a break", (text) => text.includes("trying again") || undefined);
    await using again = await on.at.serve(Number(new URL(on.server.url).port));
    await listening.err.awaited("being there again", (text) => text.includes("there again") || undefined);
    await happen(again, on.key, "@three");
    const events = (await logOf(again, on.key)).slice(before.length);
    await on.receiver.waitFor(events.length);
    expect(await listening.end()).toBe(0);
    expect(on.receiver.ids()).toEqual(events.map(({ id }) => id));
  });

  test("a key that was revoked meanwhile ends it with what to do", async () => {
    await using on = await setup();
    const port = Number(new URL(on.server.url).port);
    await using listening = await startListening(on.server.url, on.key, "--forward", on.receiver.url());
    await on.server.stop();
    const { items } = await on.at.json<{ items: { id: string; name: string }[] }>("keys", "list");
    await on.at.json("keys", "revoke", items.find(({ name }) => name === "listen")!.id);
    await using _ = await on.at.serve(port);
    await listening.err.awaited("an end", (text) => text.includes("posthouse keys create") || undefined);
    expect(await listening.exited).toBe(1);
  });
});

describe("it ends at once", () => {
  const listen = (env: Record<string, string>, ...flags: string[]) =>
    runCommand(["listen", "--forward", "http://127.0.0.1:9/hook", ...flags], { POSTHOUSE_URL: "http://127.0.0.1:9", ...env });

  test("with a live key, and says why", async () => {
    await using on = await setup();
    await using server = on.server;
    const key = await makeKey(on.at);
    const { code, out, err } = await listen({ POSTHOUSE_URL: server.url }, "--key", key);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("this is a live key");
    expect(err).not.toContain(key);
  });

  test("with a key that opens nothing, or may read no events, and says what to do", async () => {
    await using on = await setup();
    await using server = on.server;
    const unknown = await listen({ POSTHOUSE_URL: server.url, POSTHOUSE_KEY: "cs_test_mistyped" });
    expect(unknown).toMatchObject({ code: 1, out: "" });
    expect(unknown.err).toContain("posthouse keys create");
    const { key } = await on.at.json<{ key: string }>("keys", "create", "--name", "audit", "--scopes", "write:contacts", "--test");
    const blind = await listen({ POSTHOUSE_URL: server.url, POSTHOUSE_KEY: key });
    expect(blind).toMatchObject({ code: 1 });
    expect(blind.err).toContain("lacks the scope");
    for (const secret of ["cs_test_mistyped", key]) expect(unknown.err + blind.err + blind.out).not.toContain(secret);
  });

  test("where no server is, or another one", async () => {
    const nobody = await listen({ POSTHOUSE_KEY: "cs_test_x" });
    expect(nobody).toMatchObject({ code: 1, out: "" });
    expect(nobody.err).toContain("Is posthouse serve running there?");
    await using other = openReceiver();
    const ok = await listen({ POSTHOUSE_KEY: "cs_test_x" }, "--url", other.url("/"));
    expect(ok).toMatchObject({ code: 1, out: "" });
    expect(ok.err).toContain("is not the address of a Posthouse");
  });

  test("on wrong usage, with the flag that is wrong", async () => {
    await using on = await setup();
    await using server = on.server;
    const env = { POSTHOUSE_URL: server.url, POSTHOUSE_KEY: on.key };
    const unknown = await listen(env, "--events", "contact.creatd");
    expect(unknown.code).toBe(2);
    expect(unknown.err).toContain("--events: There is no event of this name. Known are message.queued");
    for (const [words, ...flags] of [
      ["error: --forward: url begins with", "--forward", "localhost:3000"],
      ["error: --secret: secret has 24 bytes or more", "--secret", "short-secret"],
      ["error: --signature-header: ", "--signature-header", "webhook-id"],
      ["error: --url: ", "--url", "post.example.com"],
      ["error: --key: ", "--key", "ключ"],
      ["--signature-format", "--signature-format", "md5"],
    ]) {
      const { code, out, err } = await listen(env, ...flags);
      expect({ flags, code, out }).toEqual({ flags, code: 2, out: "" });
      expect(err).toContain(words!);
      expect(err).not.toContain("short-secret");
    }
    expect((await listen({})).err).toContain("POSTHOUSE_KEY");
    expect((await listen(env, "--after", "evt_x")).err).toContain("There is no such event here");
  });
});
