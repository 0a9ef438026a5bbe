import { Database } from "bun:sqlite";
import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { executable } from "#test/support/executable.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { connect, outcomeOf } from "./api.ts";
import { databaseOf, dataOf, type Posthouse, run, runPosthouse, startPosthouse } from "./posthouse.ts";
import { describeStarts, timeStarts } from "./start-time.ts";

beforeAll(() => executable(), 60_000);

/** The indented curl commands of the greeting, as somebody copies them. */
function printedCurls({ out }: Posthouse): [send: string, watch: string] {
  const blocks = out()
    .split("\n\n")
    .filter((block) => block.startsWith("  curl "));
  expect(blocks).toHaveLength(2);
  return blocks as [string, string];
}

const paste = (command: string, { folder }: Posthouse) => run(["sh", "-c", command], { cwd: folder });
const oneLine = expect.stringMatching(/^[^\n]+\n$/);

describe("the first start on an empty folder", () => {
  test("serves, and five starts are timed", async () => {
    const times = await timeStarts();
    expect(times).toHaveLength(5);
    process.stdout.write(describeStarts(times));
  }, 30_000);

  test("prints the address, a sandbox key, a curl to paste, and where to watch the message land", async () => {
    await using posthouse = await startPosthouse();
    const key = await posthouse.sandboxKey();
    const [send, watch] = printedCurls(posthouse);
    expect(posthouse.out()).toContain(`\nPosthouse is at ${posthouse.url}\n`);
    expect(send).toContain(`${posthouse.url}/v1/messages/send`);
    expect(watch).toContain(`${posthouse.url}/v1/messages `);
    for (const curl of [send, watch]) expect(curl).toContain(`Authorization: Bearer ${key}`);
    expect(posthouse.log().join("\n")).not.toContain(key);
  });

  test("the printed curl, pasted into a shell, gives a message that reaches sent, and the other one shows it", async () => {
    await using posthouse = await startPosthouse();
    const caller = (await connect(posthouse)).as(await posthouse.sandboxKey());
    const [send, watch] = printedCurls(posthouse);
    const { id } = JSON.parse((await paste(send, posthouse)).out) as { id: string };
    await outcomeOf(caller, id);
    const shown = JSON.parse((await paste(watch, posthouse)).out) as { items: unknown[] };
    expect(shown.items).toMatchObject([{ id, status: "sent", to: "@sarah_miller", text: "Hey Sarah, your invite is ready" }]);
  });

  test("makes a data folder and a secret that are the owner's alone", async () => {
    await using posthouse = await startPosthouse();
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect(modeOf(dataOf(posthouse.folder))).toBe("700");
    for (const file of ["secret.key", "posthouse.db"]) expect(modeOf(join(dataOf(posthouse.folder), file))).toBe("600");
  });
});

describe("a later start", () => {
  test("prints no key, and the first one's still works", async () => {
    using folder = tempFolder();
    const first = await startPosthouse({ folder: folder.path });
    const key = await first.sandboxKey();
    expect(await first.stop()).toBe(0);
    await using second = await startPosthouse({ folder: folder.path });
    const { body } = await (await connect(second)).as(key).get("/v1/me");
    expect(body).toMatchObject({ mode: "test", name: "first sandbox key" });
    await second.stop();
    expect(second.out()).toBe("");
    expect(second.log().join("\n")).not.toContain("cs_test_");
  });

  test("with flags instead of variables, and by no command at all, is the same", async () => {
    await using posthouse = await startPosthouse({ env: { PORT: "1" }, args: ["--port", "0", "--data-dir", "./data"] });
    expect((await fetch(`${posthouse.url}/ready`)).status).toBe(200);
  });
});

describe("a start that can't be is refused in one line", () => {
  test("when the port is in use", async () => {
    await using posthouse = await startPosthouse();
    using other = tempFolder();
    const { port } = new URL(posthouse.url);
    const refused = await runPosthouse(other.path, ["serve", "--port", port]);
    expect(refused).toEqual({
      code: 1,
      out: "",
      err: `port ${port} on 127.0.0.1 is in use: stop the program that has it, or set PORT to another one\n`,
    });
  });

  test("when the host has no address, which is not called a port in use", async () => {
    using folder = tempFolder();
    for (const port of ["0", "5111"]) {
      const refused = await runPosthouse(folder.path, ["serve", "--host", "nowhere.invalid", "--port", port]);
      expect(refused).toEqual({ code: 1, out: "", err: oneLine });
      expect(refused.err).toContain("the HOST nowhere.invalid is not known here: set it to an address of this machine");
    }
  });

  test("when another serve has the data folder, and that one goes on", async () => {
    await using posthouse = await startPosthouse();
    const refused = await runPosthouse(posthouse.folder, ["serve"]);
    expect(refused).toEqual({ code: 1, out: "", err: oneLine });
    expect(refused.err).toContain(`the data folder ${dataOf(posthouse.folder)} is in use by another posthouse serve`);
    expect((await fetch(`${posthouse.url}/ready`)).status).toBe(200);
  });

  test("when a newer executable has written the database, with what to do", async () => {
    using folder = tempFolder();
    await (await startPosthouse({ folder: folder.path })).stop();
    const file = new Database(databaseOf(folder.path));
    file.run("INSERT INTO migrations (number, name, applied_at) VALUES (999, 'from-the-future', 0)");
    file.close();
    const refused = await runPosthouse(folder.path, ["serve"]);
    expect(refused).toEqual({ code: 1, out: "", err: oneLine });
    expect(refused.err).toContain("run the newer posthouse that wrote it, or restore a backup made before");
  });

  test("when the database is no database", async () => {
    using folder = tempFolder();
    await Bun.write(databaseOf(folder.path), "not a database, and long enough to look like one".repeat(100));
    expect(await runPosthouse(folder.path, ["serve"])).toEqual({ code: 1, out: "", err: oneLine });
  });

  test("each setting that doesn't parse has its own line, with what was given and what is accepted", async () => {
    using folder = tempFolder();
    const refused = await runPosthouse(folder.path, ["serve"], { PORT: "80a", LOG_LEVEL: "loud", DATABASE_URL: "mysql://there" });
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err.trimEnd().split("\n").toSorted()).toEqual([
      'DATABASE_URL is "mysql://there"; accepted: sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE',
      'LOG_LEVEL is "loud"; accepted: debug, info, warn, error',
      'PORT is "80a"; accepted: a whole number from 0 to 65535',
    ]);
    expect(existsSync(dataOf(folder.path))).toBe(false);
  });

  test("an unknown flag or command is wrong usage", async () => {
    using folder = tempFolder();
    for (const args of [["serve", "--prot", "1"], ["srve"]])
      expect(await runPosthouse(folder.path, args)).toMatchObject({ code: 2, out: "" });
  });
});
