import { describe, expect, test } from "bun:test";
import { AppError } from "#src/core/errors.ts";
import { beginFetching } from "#src/modules/files/fetching.ts";
import { sweepFilesAt } from "#src/modules/files/job.ts";
import type { FileFolder } from "#src/modules/files/model.ts";
import { createFileRegistry } from "#src/modules/files/registry.ts";
import { createFileStore } from "#src/modules/files/store.ts";
import type { Channel, FetchResult, Refusal } from "#src/modules/messages/channel.ts";
import { createSandboxChannel } from "#plugins/sandbox/channel.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import { namesIn, png, upload } from "#test/support/filing.ts";
import { arriving } from "#test/support/receiving.ts";
import { queue, read, turn } from "#test/support/sending.ts";

type Give = (remote: string, signal: AbortSignal) => FetchResult;

/** An app whose sandbox gives the files that a test says, and counts how often it is asked. */
async function receiving(give: Give, options: { engine?: (typeof appEngines)[number]; filesCacheBytes?: number } = {}) {
  const asked: string[] = [];
  const app = await setup({
    ...options,
    channels: (clock) => {
      const fetchFile: Channel["fetchFile"] = (_account, remote, signal) => {
        asked.push(remote);
        return give(remote, signal);
      };
      return [{ ...createSandboxChannel(clock), fetchFile }];
    },
  });
  return Object.assign(app, { asked });
}

/** Makes it known that such a file was received. */
function receive({ db, clock, sandbox }: TestApp, remote: string, account_id = 7421, env_id = sandbox.env_id): Promise<string> {
  const keepFile = createFileRegistry({ store: createFileStore(db), clock });
  const facts = { name: "a.bin", mime: null, size: null, width: null, height: null, duration: null };
  return db.write((tx) => keepFile(tx, env_id, account_id, { ...facts, type: "document", remote, unique: remote }));
}

const whole = (bytes: Uint8Array<ArrayBuffer> | string): FetchResult => ({ kind: "file", bytes: new Blob([bytes]).stream(), size: null });

function download(app: TestApp, id: string): Promise<Response> {
  return Promise.resolve(
    app.fetch(new Request(`http://localhost/v1/files/${id}`, { headers: { authorization: `Bearer ${app.sandbox.key}` } })),
  );
}

describe.each(appEngines)("a received file on %s", (engine) => {
  test("is fetched when somebody asks, and not again while it is kept", async () => {
    await using app = await receiving(() => whole(png), { engine });
    const id = await receive(app, "one");
    expect(app.asked).toEqual([]);
    for (let time = 0; time < 3; time++) {
      const answer = await download(app, id);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "image/png"]);
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(png);
    }
    expect(app.asked).toEqual(["one"]);
    expect((await app.sandbox.get(`/v1/files/${id}/info`)).body).toMatchObject({
      mime: "image/png",
      size: png.byteLength,
      account_id: 7421,
    });
  });

  test("leaves again for others when there is no room, the one that nobody has read for longest first", async () => {
    await using app = await receiving((remote) => whole(remote.repeat(1_000)), { engine, filesCacheBytes: 2_500 });
    const ids = [await receive(app, "a"), await receive(app, "b"), await receive(app, "c")];
    for (const id of ids) {
      await (await download(app, id)).text();
      await app.leap(2 * 3_600_000);
    }
    await (await download(app, ids[1]!)).text();
    await (await download(app, ids[2]!)).text();
    expect(app.asked).toEqual(["a", "b", "c"]);
    await (await download(app, ids[0]!)).text();
    expect(app.asked).toEqual(["a", "b", "c", "a"]);
  });

  test("is sent on like an upload", async () => {
    await using app = await receiving(() => whole(png), { engine });
    const id = await queue(app.sandbox, { text: undefined, attachments: [{ file_id: await receive(app, "one") }] });
    await app.settled();
    expect(await read(app.sandbox, id)).toMatchObject({ status: "sent", attachments: [{ type: "document" }] });
    expect(app.asked).toEqual(["one"]);
  });
});

describe("a received file", () => {
  test("comes through while it arrives, to everybody who asks, in one transfer", async () => {
    const pipe = new TransformStream<Uint8Array, Uint8Array>();
    const writer = pipe.writable.getWriter();
    await using app = await receiving(() => ({ kind: "file", bytes: pipe.readable, size: null }));
    const id = await receive(app, "slow");
    const asking = [download(app, id), download(app, id), download(app, id)];
    await writer.write(new Uint8Array(70_000).fill(65));
    const [first, left, late] = (await Promise.all(asking)).map((answer) => answer.body!.getReader());
    expect((await first!.read()).value).toHaveLength(70_000);
    await left!.cancel();
    await writer.write(new Uint8Array(5).fill(66));
    expect((await first!.read()).value).toHaveLength(5);
    await writer.close();
    expect((await first!.read()).done).toBe(true);
    let size = 0;
    for (let part = await late!.read(); !part.done; part = await late!.read()) size += part.value.byteLength;
    expect(size).toBe(70_005);
    expect((await (await download(app, id)).text()).length).toBe(70_005);
    expect(app.asked).toEqual(["slow"]);
  });

  test("that breaks off is not taken for the whole, and is fetched anew", async () => {
    let times = 0;
    const broken = () => {
      const bytes = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new Uint8Array(70_000).fill(65));
        },
        pull: (controller) => controller.error(new Error("away")),
      });
      return times++ === 0 ? ({ kind: "file", bytes, size: null } as const) : whole("all of it");
    };
    await using app = await receiving(broken);
    const id = await receive(app, "one");
    const answer = await download(app, id);
    // By then it may have begun to come through.
    const told = answer.status === 200 ? await answer.text().catch(() => "broken off") : answer.status;
    expect(["broken off", 503]).toContain(told);
    expect(app.log.join("")).not.toContain('"status":500');
    expect(await (await download(app, id)).text()).toBe("all of it");
  });

  test("for which there is no room on the disk is not left half fetched", async () => {
    const left = Promise.withResolvers<void>();
    const bytes = new ReadableStream<Uint8Array>({ cancel: () => left.resolve() });
    const full = new AppError("unavailable", "The disk is full: nothing was stored.");
    const folder = { begin: () => Promise.reject(full) } as unknown as FileFolder;
    const needs = { folder, onKept: () => Promise.resolve(), signal: new AbortController().signal };
    const fetching = beginFetching("1.one", { ...needs, fetch: () => ({ kind: "file", bytes, size: null }) });
    expect(await fetching.then(String, (error: unknown) => error)).toBe(full);
    await left.promise;
  });

  test("that comes slowly is not waited for by a send that is told to stop", async () => {
    const pipe = new TransformStream<Uint8Array, Uint8Array>();
    await using app = await receiving(() => ({ kind: "file", bytes: pipe.readable, size: null }));
    const id = await receive(app, "slow");
    const stopping = new AbortController();
    const opened = app.services.files.open(app.sandbox.env_id, id, stopping.signal);
    const writer = pipe.writable.getWriter();
    await writer.write(new Uint8Array(70_000).fill(65));
    stopping.abort();
    expect(await opened).toMatchObject({ kind: "unreached" });
    await writer.abort();
  });

  test("that is larger than the whole cache is read and sent on all the same", async () => {
    const large = "x".repeat(5_000);
    await using app = await receiving((remote) => whole(remote === "large" ? large : "small"), { filesCacheBytes: 1_000 });
    const small = await receive(app, "small");
    await (await download(app, small)).text();
    const file_id = await receive(app, "large");
    const id = await queue(app.sandbox, { text: undefined, attachments: [{ file_id }] });
    await app.settled();
    expect((await read(app.sandbox, id)).status).toBe("sent");
    expect(await (await download(app, file_id)).text()).toBe(large);
    expect(app.asked).toEqual(["small", "large"]);
    await app.db.write((tx) => app.services.loop.enqueue(tx, sweepFilesAt(app.clock.now())));
    await app.settled();
    expect(namesIn(app.filesFolder)).toEqual([]);
  });

  test.each<[Refusal, number, string, string | null]>([
    [{ kind: "failed", code: "message_rejected", message: "Bad Request: file is too big", link: null }, 409, "file is too big", null],
    [{ kind: "unauthorized", reason: "x" }, 409, "no longer accepts the account", null],
    [{ kind: "hold", ms: 12_500, reason: "x" }, 503, "patience", "13"],
    [{ kind: "unreached", reason: "No connection." }, 503, "No connection.", "5"],
  ])("that can't be had is answered with why: %p", async (refusal, status, words, wait) => {
    await using app = await receiving(() => refusal);
    const answer = await app.sandbox.get<{ detail: string }>(`/v1/files/${await receive(app, "one")}`);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([status, wait]);
    expect(answer.body.detail).toContain(words);
  });

  test("of an account that was removed can't be had", async () => {
    await using telegram = await setupWithTelegram();
    const { app } = telegram;
    const { account } = await telegram.connect();
    const id = await receive(app, "one", account.id, app.live.env_id);
    expect((await app.live.get(`/v1/files/${id}`)).status).toBe(409);
    await app.live.delete(`/v1/accounts/${account.id}`);
    expect(await app.live.get(`/v1/files/${id}`)).toMatchObject({ status: 409, body: { code: "conflict" } });
  });

  test("is erased with the person who has sent it, an upload is not", async () => {
    await using app = await setup();
    const { env_id, key } = app.sandbox;
    const file = {
      type: "photo",
      name: "anna.jpg",
      mime: null,
      size: 9,
      width: 1,
      height: 1,
      duration: null,
      remote: "r",
      unique: "u",
    } as const;
    const hearing = { env_id, id: 7421, kind: "sandbox", username: null };
    await app.db.write((tx) => app.services.happened(tx, hearing, [arriving({ files: [file] })]));
    const own = await upload(app, { key }, png, "name=ours.png");
    const { body } = await app.sandbox.get<{ items: { contact_id: string; attachments: { file_id: string }[] }[] }>("/v1/messages");
    const { contact_id, attachments } = body.items[0]!;
    await (await download(app, attachments[0]!.file_id)).text();
    expect(namesIn(app.filesFolder)).toHaveLength(2);
    await app.sandbox.delete(`/v1/contacts/${contact_id}?erase=true`);
    await app.settled();
    const { body: left } = await app.sandbox.get<{ items: { id: string }[] }>("/v1/files");
    expect(left.items.map(({ id }) => id)).toEqual([own]);
    while (namesIn(app.filesFolder).length > 1) await turn();
  });

  test("in the sandbox is made up", async () => {
    await using app = await setup();
    expect(await (await download(app, await receive(app, "one"))).text()).toBe("A file of the sandbox.\n");
  });
});
