import { beforeAll, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { makeSecret } from "#src/modules/webhooks/new-secret.ts";
import { plainSignature, standardSignature } from "#src/modules/webhooks/signing.ts";
import { type Block, readmeReceivers, root } from "#test/support/documents.ts";
import { executable } from "#test/support/executable.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { eventually } from "./api.ts";
import { readOutput } from "./output.ts";
import { run } from "./posthouse.ts";
import { deliveriesOf, detailOf, happen, register, rotate, startDelivering } from "./webhooks.ts";

/** How a receiver of README is made ready and run by somebody who saved it to a file. */
const runners: Record<string, { file: string; build?: string[]; command: string[] }> = {
  js: { file: "receiver.mjs", command: [Bun.which("node") ?? process.execPath, "receiver.mjs"] },
  python: { file: "receiver.py", command: ["python3", "receiver.py"] },
  go: { file: "receiver.go", build: ["go", "build", "-o", "receiver", "receiver.go"], command: ["./receiver"] },
};

const isInstalled = ({ language }: Block) => language === "js" || Bun.which((runners[language]!.build ?? runners[language]!.command)[0]!);
const receivers = readmeReceivers().filter(isInstalled);
const told = /evt_[0-9A-Z]{26} (contact\.created|message\.received)/g;
const PEOPLE = 10;
/** Of each person: a contact, and a message. */
const EVENTS = 2 * PEOPLE;
/** Go compiles its library the first time. */
const TIMEOUT_MS = 180_000;

beforeAll(() => executable(), 60_000);

async function freePort(): Promise<number> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  await server.stop(true);
  return port!;
}

/** A receiver on a port of its own, which is run with one secret after another. */
async function prepare({ language, text }: Block) {
  const { file, build, command } = runners[language]!;
  const folder = tempFolder();
  await Bun.write(join(folder.path, file), text);
  if (language === "js") symlinkSync(join(root, "node_modules"), join(folder.path, "node_modules"));
  if (build !== undefined)
    expect(await run(build, { cwd: folder.path, env: process.env as Record<string, string> })).toMatchObject({ code: 0 });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/hook`;
  const post = (headers: Record<string, string>, body: string) =>
    fetch(url, { method: "POST", headers, body }).then(({ status }) => status);
  return {
    url,
    post,
    async start(secret: string) {
      const env = { ...(process.env as Record<string, string>), PORT: String(port), WEBHOOK_SECRET: secret };
      const child = Bun.spawn(command, { cwd: folder.path, env, stdout: "pipe", stderr: "pipe" });
      const [out, err] = [readOutput(child.stdout), readOutput(child.stderr)];
      const answers = () => post({}, "{}").then(Boolean, () => child.exitCode !== null);
      await eventually("the receiver does not listen", answers, Boolean);
      if (child.exitCode !== null) throw new Error(`the receiver has ended: ${err.text()}`);
      return {
        /** Resolves when it has told of so many events. */
        told: (count: number) => out.awaited(`${count} events`, (text) => (text.match(told) ?? []).length === count || undefined),
        async [Symbol.asyncDispose]() {
          child.kill("SIGKILL");
          await child.exited;
          await Promise.all([out.ended, err.ended]);
        },
      };
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

test.each(receivers.map((receiver) => [receiver.heading, receiver] as const))(
  "the receiver that README shows (%s) takes every delivery of a rotation, whichever secret it knows, and nothing forged",
  async (_, block) => {
    await using on = await startDelivering();
    using receiver = await prepare(block);
    const { id, secret: old } = await register(on.caller, { url: receiver.url });
    let fresh: string;
    {
      await using program = await receiver.start(old);
      await happen(on.caller, PEOPLE);
      await deliveriesOf(on.caller, id, EVENTS);
      fresh = (await rotate(on.caller, id, 3_600)).secret;
      await happen(on.caller, PEOPLE);
      await deliveriesOf(on.caller, id, 2 * EVENTS);
      await program.told(2 * EVENTS);
    }
    await using program = await receiver.start(fresh);
    await happen(on.caller, PEOPLE);
    const all = await deliveriesOf(on.caller, id, 3 * EVENTS);
    expect(all.map(({ status, tries }) => ({ status, tries }))).toEqual(all.map(() => ({ status: "delivered", tries: 1 })));
    await program.told(EVENTS);

    const { request, attempts } = await detailOf(on.caller, all[0]!);
    const { headers } = attempts.at(-1)!.request;
    const body = request.body!;
    const event_id = headers["webhook-id"]!;
    /** As whoever knows a secret would send it at a time. */
    const sign = (secret: string, at: number) => ({
      ...headers,
      "webhook-timestamp": String(at),
      "webhook-signature": standardSignature([secret], event_id, at, body),
      "X-Signature": plainSignature(secret, body, "sha256=hex"),
    });
    const now = Math.floor(Date.now() / 1_000);
    expect(await receiver.post(headers, body)).toBe(200);
    expect(await receiver.post(sign(fresh, now), body)).toBe(200);
    expect(await receiver.post(headers, body.replace("message", "massage").replace("contact", "contakt"))).toBe(401);
    expect(await receiver.post(sign(old, now), body)).toBe(401);
    expect(await receiver.post(sign(makeSecret(), now), body)).toBe(401);
    expect(await receiver.post({ ...sign(fresh, now), "webhook-signature": "v1,é", "X-Signature": "sha256=é" }, body)).toBe(401);
    if (block.text.includes("standardwebhooks")) expect(await receiver.post(sign(fresh, now - 600), body)).toBe(401);
  },
  TIMEOUT_MS,
);
