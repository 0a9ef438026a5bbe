import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import type { File } from "#src/modules/files/model.ts";
import { sweepFilesAt } from "#src/modules/files/job.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { gif, jpeg, mp3, mp4, namesIn, pdf, png, sendFile, upload } from "#test/support/filing.ts";
import { queue, turn } from "#test/support/sending.ts";

const DAY = 24 * 3_600_000;
const MB = 1_000_000;

const onDisk = ({ filesFolder }: TestApp) => namesIn(filesFolder);

function download(app: TestApp, id: string, headers: Record<string, string> = {}): Promise<Response> {
  const all = { authorization: `Bearer ${app.sandbox.key}`, ...headers };
  return Promise.resolve(app.fetch(new Request(`http://localhost/v1/files/${id}`, { headers: all })));
}

/** The app behind a real server. */
function doorTo(app: TestApp) {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => app.fetch(request, "127.0.0.1") });
  return { url: server.url.origin, [Symbol.asyncDispose]: () => server.stop(true) };
}

async function sweep(app: TestApp): Promise<void> {
  await app.db.write((tx) => app.services.loop.enqueue(tx, sweepFilesAt(app.clock.now())));
  await app.settled();
}

function chunks(count: number, bytes: number, onEach: () => void = () => {}): ReadableStream<Uint8Array> {
  let left = count;
  return new ReadableStream({
    pull(controller) {
      if (left-- === 0) return controller.close();
      onEach();
      controller.enqueue(new Uint8Array(bytes).fill(65));
    },
  });
}

describe.each(appEngines)("an upload on %s", (engine) => {
  test("is a file whose kind its bytes tell, and comes back as it was", async () => {
    await using app = await setup({ engine });
    const { status, body } = await sendFile(app, app.sandbox, png, "name=invite.png");
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: "invite.png", type: "photo", mime: "image/png", size: png.byteLength, account_id: null });
    const answer = await download(app, body.id);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(png);
    expect(answer.headers.get("content-type")).toBe("image/png");
    expect(answer.headers.get("content-disposition")).toBe('inline; filename="invite.png"');
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect((await app.sandbox.get(`/v1/files/${body.id}/info`)).body).toEqual(body);
    expect((await app.sandbox.get<Page<File>>("/v1/files")).body.items).toEqual([body]);
  });

  test("is removed for good by a DELETE, bytes and all", async () => {
    await using app = await setup({ engine });
    const id = await upload(app, app.sandbox, png);
    expect((await app.sandbox.delete(`/v1/files/${id}`, { "if-match": '"other"' })).status).toBe(412);
    expect((await app.sandbox.delete(`/v1/files/${id}`)).status).toBe(204);
    expect((await app.sandbox.get(`/v1/files/${id}`)).status).toBe(404);
    expect((await app.sandbox.delete(`/v1/files/${id}`)).status).toBe(404);
    while (onDisk(app).length > 0) await turn();
  });

  test("is removed by a key that is bound to accounts, too", async () => {
    await using app = await setup({ engine });
    const bound = await app.makeKey(app.sandbox, { account_ids: [7421] });
    const id = await upload(app, bound, png);
    expect((await bound.delete(`/v1/files/${id}`)).status).toBe(204);
  });

  test("is one file when it is repeated with its Idempotency-Key", async () => {
    await using app = await setup({ engine });
    const again = () => sendFile(app, app.sandbox, png, "name=a.png", { "idempotency-key": "one" });
    const first = await again();
    const second = await again();
    expect(second.body).toEqual(first.body);
    expect(onDisk(app)).toHaveLength(1);
    const other = await sendFile(app, app.sandbox, jpeg, "name=a.png", { "idempotency-key": "one" });
    expect(other.status).toBe(409);
    expect(onDisk(app)).toHaveLength(1);
  });
});

describe("an upload", () => {
  test.each([
    ["photo", "image/jpeg", jpeg],
    ["animation", "image/gif", gif],
    ["video", "video/mp4", mp4],
    ["audio", "audio/mpeg", mp3],
    ["document", "application/pdf", pdf],
    ["document", "text/plain", "Grüße"],
    ["document", "application/octet-stream", new Uint8Array([0, 1, 2, 255])],
  ])("is a %s where its bytes are %s, whatever it is said to be", async (type, mime, bytes) => {
    await using app = await setup();
    const { body } = await sendFile(app, app.sandbox, bytes, "name=x.png", { "content-type": "application/json" });
    expect(body).toMatchObject({ type, mime });
  });

  test("comes as a form with the one part file, too", async () => {
    await using app = await setup();
    const form = new FormData();
    form.set("file", new Blob([png]), "../../photo ü.png");
    const { status, body } = await sendFile(app, app.sandbox, form);
    expect([status, body.name, body.size]).toEqual([201, "photo ü.png", png.byteLength]);
    const answer = await download(app, body.id);
    expect(answer.headers.get("content-disposition")).toBe(`inline; filename="photo _.png"; filename*=UTF-8''photo%20%C3%BC.png`);
  });

  test("as a form is refused with other parts, without a file, or when it breaks off", async () => {
    await using app = await setup();
    const two = new FormData();
    two.set("file", new Blob([png]), "a.png");
    two.set("caption", "no");
    const none = new FormData();
    const wrong = new FormData();
    wrong.set("photo", new Blob([png]), "a.png");
    expect((await sendFile(app, app.sandbox, two)).status).toBe(422);
    expect((await sendFile(app, app.sandbox, wrong)).status).toBe(422);
    expect([400, 422]).toContain((await sendFile(app, app.sandbox, none)).status);
    const type = { "content-type": "multipart/form-data; boundary=b" };
    const broken = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc';
    expect((await sendFile(app, app.sandbox, broken, "", type)).status).toBe(400);
    expect((await sendFile(app, app.sandbox, "x", "", { "content-type": "multipart/form-data" })).status).toBe(400);
    expect(onDisk(app)).toEqual([]);
  });

  test("that is empty or missing is refused", async () => {
    await using app = await setup();
    expect((await sendFile(app, app.sandbox, new Uint8Array())).status).toBe(422);
    expect((await app.sandbox.post("/v1/files")).status).toBe(422);
    expect(onDisk(app)).toEqual([]);
  });

  test("is taken up to 50 MB, and refused before it comes or as it goes past that", async () => {
    await using app = await setup();
    const { status, body } = await sendFile(app, app.sandbox, chunks(50, MB));
    expect([status, body.size]).toEqual([201, 50 * MB]);
    let read = 0;
    const tooLarge = await sendFile(
      app,
      app.sandbox,
      chunks(200, MB, () => read++),
    );
    expect([tooLarge.status, tooLarge.body]).toMatchObject([413, { code: "payload_too_large" }]);
    expect(read).toBeLessThan(60);
    expect((await sendFile(app, app.sandbox, "x", "", { "content-length": "51000000" })).status).toBe(413);
    expect(onDisk(app)).toHaveLength(1);
  });

  test("of something that a browser could run is never shown in the place of a page", async () => {
    await using app = await setup();
    for (const bytes of [
      '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
      "<html><script>alert(1)</script>",
      pdf,
    ]) {
      const answer = await download(app, await upload(app, app.sandbox, bytes, "name=a.png"));
      expect(answer.headers.get("content-disposition")).toStartWith("attachment");
      expect(answer.headers.get("content-type")).not.toBe("text/html");
    }
  });

  test("can be read in parts, and is not sent to whom has it", async () => {
    await using app = await setup();
    const id = await upload(app, app.sandbox, "0123456789");
    const part = async (range: string) => {
      const answer = await download(app, id, { range });
      return [answer.status, answer.headers.get("content-range"), await answer.text()];
    };
    expect(await part("bytes=2-4")).toEqual([206, "bytes 2-4/10", "234"]);
    expect(await part("bytes=7-")).toEqual([206, "bytes 7-9/10", "789"]);
    expect(await part("bytes=-3")).toEqual([206, "bytes 7-9/10", "789"]);
    expect(await part("bytes=5-400")).toEqual([206, "bytes 5-9/10", "56789"]);
    expect(await part("bytes=40-50")).toEqual([200, null, "0123456789"]);
    expect(await part("lines=1-2")).toEqual([200, null, "0123456789"]);
    const etag = (await download(app, id)).headers.get("etag")!;
    expect((await download(app, id, { "if-none-match": etag })).status).toBe(304);
  });

  test("says how long it is, before it is read and in parts too", async () => {
    await using app = await setup();
    const id = await upload(app, app.sandbox, "0123456789");
    await using door = doorTo(app);
    const lengthOf = async (method: string, headers: Record<string, string> = {}) => {
      const all = { authorization: `Bearer ${app.sandbox.key}`, ...headers };
      const answer = await fetch(`${door.url}/v1/files/${id}`, { method, headers: all });
      return [answer.headers.get("content-length"), answer.headers.get("transfer-encoding"), (await answer.text()).length];
    };
    expect(await lengthOf("GET")).toEqual(["10", null, 10]);
    expect(await lengthOf("HEAD")).toEqual(["10", null, 0]);
    expect(await lengthOf("GET", { range: "bytes=2-4" })).toEqual(["3", null, 3]);
  });

  test("is removed once nothing has used it for 30 days; a message that waits for its time uses it", async () => {
    await using app = await setup();
    const [unused, waiting, read] = [
      await upload(app, app.sandbox, png),
      await upload(app, app.sandbox, jpeg),
      await upload(app, app.sandbox, gif),
    ];
    const schedule_at = new Date(app.clock.now() + 40 * DAY).toISOString();
    await queue(app.sandbox, { text: undefined, attachments: [{ file_id: waiting }], schedule_at });
    await app.leap(20 * DAY);
    await download(app, read);
    await app.leap(11 * DAY);
    await sweep(app);
    const status = async (id: string) => (await app.sandbox.get(`/v1/files/${id}/info`)).status;
    expect([await status(unused), await status(waiting), await status(read)]).toEqual([404, 200, 200]);
    expect(onDisk(app)).toHaveLength(2);
  });

  test("whose bytes came in without a row is swept away, and so is what broke off", async () => {
    await using app = await setup();
    const id = await upload(app, app.sandbox, png);
    await app.db.write((tx) => app.db.in(tx).deleteFrom("files").where("id", "=", id).execute());
    await Bun.write(`${app.filesFolder}/incoming/${id}`, "half of it");
    await sweep(app);
    expect(onDisk(app)).toHaveLength(2);
    await app.leap(2 * 3_600_000);
    await sweep(app);
    // Half of a file can be on its way for hours.
    expect(onDisk(app)).toEqual([id]);
    await app.leap(DAY);
    await sweep(app);
    expect(onDisk(app)).toEqual([]);
  });

  test("is not kept from being swept by what others have put into the folder", async () => {
    await using app = await setup();
    const id = await upload(app, app.sandbox, png);
    await app.db.write((tx) => app.db.in(tx).deleteFrom("files").where("id", "=", id).execute());
    const others = [".DS_Store", "incoming/.nfs01", `${id.slice(-2)}/.nfs02`, `${id.slice(-2)}/notes.txt`, "lost+found/x"];
    for (const other of others) await Bun.write(`${app.filesFolder}/${other}`, "not ours");
    await app.leap(2 * DAY);
    await sweep(app);
    expect(onDisk(app).toSorted()).toEqual([".DS_Store", ".nfs01", ".nfs02", "notes.txt", "x"]);
  });
});
