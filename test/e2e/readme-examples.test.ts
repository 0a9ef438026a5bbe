import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { executable } from "#test/support/executable.ts";
import { type Block, blocksOf, readDocument, readmePrograms, sectionOf } from "#test/support/documents.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { connect, outcomeOf } from "./api.ts";
import { type Ended, type Posthouse, run, runPosthouse, startPosthouse } from "./posthouse.ts";

/** How a program of README is run by somebody who saved it to a file. */
const runners: Record<string, { file: string; command: (file: string) => string[] }> = {
  curl: { file: "send.sh", command: (file) => ["sh", file] },
  TypeScript: { file: "send.ts", command: (file) => [process.execPath, file] },
  Python: { file: "send.py", command: (file) => ["python3", file] },
  Go: { file: "send.go", command: (file) => ["go", "run", file] },
};

/** These two are there wherever the tests run; the others where their language is installed. */
const always = new Set(["curl", "TypeScript"]);

const programs = readmePrograms().filter(({ heading }) => always.has(heading) || isInstalled(heading));
/** Go compiles its library the first time. */
const TIMEOUT_MS = 180_000;

beforeAll(() => executable(), 60_000);

function isInstalled(heading: string): boolean {
  return Bun.which(runners[heading]!.command("")[0]!) !== null;
}

async function runProgram({ heading, text }: Block, { url }: Posthouse, key: string): Promise<Ended> {
  const { file, command } = runners[heading]!;
  using folder = tempFolder();
  const path = join(folder.path, file);
  await Bun.write(path, text);
  // Its own tools stay where they are: Go keeps what it has compiled in the home folder.
  const env = { ...(process.env as Record<string, string>), POSTHOUSE_URL: url, POSTHOUSE_KEY: key };
  return await run(command(path), { cwd: folder.path, env });
}

const idIn = (text: string) => /msg_[0-9A-Z]{26}/.exec(text)?.[0];

describe.each(programs.map((program) => [program.heading, program] as const))("the program in %s that README shows", (heading, program) => {
  test(
    "sends the message",
    async () => {
      await using posthouse = await startPosthouse();
      const key = await posthouse.sandboxKey();
      const { code, out, err } = await runProgram(program, posthouse, key);
      expect({ code, out, err: code === 0 ? "" : err }).toEqual({ code: 0, out: expect.stringMatching(/msg_\w{26}.*queued/), err: "" });
      const message = await outcomeOf((await connect(posthouse)).as(key), idIn(out)!);
      expect(message).toMatchObject({ status: "sent", to: "@sarah_miller", text: "Hey Sarah, your invite is ready" });
    },
    TIMEOUT_MS,
  );

  test(
    "tells the code of a problem",
    async () => {
      await using posthouse = await startPosthouse();
      const { code, out, err } = await runProgram(program, posthouse, "cs_test_mistyped");
      expect(out + err).toContain("unauthorized");
      if (heading !== "curl") expect(code).not.toBe(0);
    },
    TIMEOUT_MS,
  );
});

test(
  "the programs that README shows are one request: run one after another they send one message",
  async () => {
    await using posthouse = await startPosthouse();
    const key = await posthouse.sandboxKey();
    const ids: (string | undefined)[] = [];
    for (const program of programs) ids.push(idIn((await runProgram(program, posthouse, key)).out));
    expect(ids[0]).toBeString();
    expect(ids).toEqual(ids.map(() => ids[0]));
    const { body } = await (await connect(posthouse)).as(key).get("/v1/messages");
    expect(body).toMatchObject({ total: 1 });
  },
  TIMEOUT_MS,
);

test(
  "the template that README shows is made, and a message sent by it",
  async () => {
    await using posthouse = await startPosthouse();
    const key = await posthouse.sandboxKey();
    const [make, send] = blocksOf(sectionOf(readDocument("README.md"), "## Templates"));
    const made = await runProgram({ ...make!, heading: "curl" }, posthouse, key);
    const [id = ""] = /tpl_[0-9A-Z]{26}/.exec(made.out) ?? [];
    const sent = await runProgram({ ...send!, heading: "curl", text: send!.text.replace("tpl_…", id) }, posthouse, key);
    const message = await outcomeOf((await connect(posthouse)).as(key), idIn(sent.out)!);
    expect(message).toMatchObject({ status: "sent", text: "Hey Sarah, invoice 4711 is due on Friday." });
  },
  TIMEOUT_MS,
);

test(
  "the contact that README shows is made and found, and a message says what it tells",
  async () => {
    await using posthouse = await startPosthouse();
    const key = await posthouse.sandboxKey();
    const blocks = blocksOf(sectionOf(readDocument("README.md"), "## Contacts"));
    const [make, find, save] = blocks;
    const [rule, write] = ["/v1/scoring/rules", "/v1/sandbox/inbound"].map((path) => blocks.find(({ text }) => text.includes(path)));
    const made = JSON.parse((await runProgram({ ...make!, heading: "curl" }, posthouse, key)).out) as { id: string };
    expect((await runProgram({ ...find!, heading: "curl" }, posthouse, key)).out).toContain(made.id);
    const caller = (await connect(posthouse)).as(key);
    const segment = JSON.parse((await runProgram({ ...save!, heading: "curl" }, posthouse, key)).out) as { id: string };
    expect((await caller.get(`/v1/contacts?segment=${segment.id}`)).text).toContain(made.id);
    const { body } = await caller.post<{ id: string }>("/v1/messages/send", {
      account_id: 7421,
      to: "@sarah_miller",
      text: "Hey {first_name}",
    });
    expect(await outcomeOf(caller, body.id)).toMatchObject({ status: "sent", text: "Hey Sally", contact_id: made.id });
    const { id } = JSON.parse((await runProgram({ ...rule!, heading: "curl" }, posthouse, key)).out) as { id: string };
    const { body: contact } = await caller.get<{ score: object }>(`/v1/contacts/${made.id}`);
    expect(contact.score).toMatchObject({ total: 20, why: [{ rule_id: id, points: 20 }] });
    const written = JSON.parse((await runProgram({ ...write!, heading: "curl" }, posthouse, key)).out) as { id: string };
    expect((await caller.get("/v1/messages?direction=in")).text).toContain(written.id);
    expect((await caller.get(`/v1/contacts/${made.id}`)).body).toMatchObject({ last_seen_at: expect.any(String) });
  },
  TIMEOUT_MS,
);

test(
  "the webhook that README shows is made, and what failed of it is sent again",
  async () => {
    await using posthouse = await startPosthouse();
    const key = await posthouse.sandboxKey();
    const [make, replay] = blocksOf(sectionOf(readDocument("README.md"), "## Webhooks")).filter(({ language }) => language === "sh");
    const made = JSON.parse((await runProgram({ ...make!, heading: "curl" }, posthouse, key)).out) as { id: string; secret: string };
    expect(made.secret).toStartWith("whsec_");
    const words = replay!.text
      .replace(/wh_\w+/, made.id)
      .trim()
      .split(" ");
    const { code, out } = await runPosthouse(posthouse.folder, [...words.slice(1), "--test"]);
    expect({ code, out }).toEqual({ code: 0, out: "0 events are sent again\n" });
  },
  TIMEOUT_MS,
);
