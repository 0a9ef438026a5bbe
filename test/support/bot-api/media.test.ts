import { afterEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { Api, GrammyError, InputFile, InputMediaBuilder } from "grammy";
import { startBotApi } from "./start.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function setup() {
  const api = await startBotApi();
  cleanups.push(() => api.stop());
  const bot = api.addBot();
  const sarah = api.addPrivateChat(bot);
  const client = new Api(bot.token, { apiRoot: api.url });
  const bytesOf = async (fileId: string) => {
    const { file_path } = await client.getFile(fileId);
    return (await fetch(`${api.url}/file/bot${bot.token}/${file_path}`)).bytes();
  };
  return { api, bot, sarah, client, bytesOf };
}

async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof GrammyError) return error.description;
    throw error;
  }
  throw new Error("the call did not fail");
}

/** The beginning of a PNG of this size, which is all that is looked at. */
function png(width: number, height: number, length = 64): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("files that a bot sends", () => {
  test("an upload keeps its bytes, and goes out again by its id", async () => {
    const { api, sarah, client, bytesOf } = await setup();
    const bytes = png(640, 480);
    const { photo, caption } = await client.sendPhoto(sarah.id, new InputFile(bytes, "a.png"), { caption: "Look" });
    expect({ photo, caption }).toMatchObject({ photo: [{ width: 90 }, { width: 640, height: 480, file_size: 64 }], caption: "Look" });
    const file_id = photo.at(-1)?.file_id ?? "";
    expect(await bytesOf(file_id)).toEqual(new Uint8Array(bytes));
    await client.sendPhoto(sarah.id, file_id);
    const media = { kind: "photo", file_id, size: 64, sha256: sha256(bytes) };
    expect(api.sent).toMatchObject([
      { text: "", caption: "Look", media },
      { caption: null, media },
    ]);
    expect(await refusal(client.sendDocument(sarah.id, file_id))).toBe("Bad Request: can't use file of type Photo as Document");
  });

  test("every kind of file is shown as what it is", async () => {
    const { sarah, client } = await setup();
    const file = (name: string) => new InputFile(Buffer.from("bytes"), name);
    expect(await client.sendDocument(sarah.id, file("a.pdf"))).toMatchObject({ document: { file_name: "a.pdf", file_size: 5 } });
    expect(await client.sendVideo(sarah.id, file("a.mp4"))).toMatchObject({ video: { file_name: "a.mp4" } });
    expect(await client.sendVoice(sarah.id, file("a.oga"))).toMatchObject({ voice: { duration: 1 } });
    expect(await client.sendAudio(sarah.id, file("a.mp3"))).toMatchObject({ audio: { file_name: "a.mp3" } });
    expect(await client.sendAnimation(sarah.id, file("a.mp4"))).toMatchObject({ animation: {}, document: {} });
  });

  test("an address is fetched, and refused when there is nothing of use", async () => {
    const { api, sarah, client } = await setup();
    const site = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: ({ url }) =>
        url.endsWith(".png") ? new Response(png(4, 3)) : new Response("no", { status: url.endsWith("html") ? 200 : 404 }),
    });
    cleanups.push(() => site.stop(true));
    await client.sendPhoto(sarah.id, `${site.url.href}a.png`);
    expect(api.sent).toMatchObject([{ media: { name: "a.png", sha256: sha256(png(4, 3)) } }]);
    expect(await refusal(client.sendPhoto(sarah.id, `${site.url.href}gone`))).toBe("Bad Request: failed to get HTTP URL content");
    expect(await refusal(client.sendPhoto(sarah.id, `${site.url.href}html`))).toBe("Bad Request: wrong type of the web page content");
    expect(await refusal(client.sendPhoto(sarah.id, "nonsense"))).toBe("Bad Request: wrong file identifier/HTTP URL specified");
  });

  test("a photo that is none, too large or too long, and an empty file are refused", async () => {
    const { api, sarah, client } = await setup();
    const photo = (bytes: Buffer) => refusal(client.sendPhoto(sarah.id, new InputFile(bytes, "a.png")));
    expect(await photo(Buffer.from("text"))).toBe("Bad Request: IMAGE_PROCESS_FAILED");
    expect(await photo(png(9_000, 2_000))).toBe("Bad Request: PHOTO_INVALID_DIMENSIONS");
    expect(await photo(png(10, 10, 10_485_761))).toBe(
      "Bad Request: file of size 10485761 bytes is too big for a photo; the maximum size is 10485760 bytes",
    );
    expect(await refusal(client.sendDocument(sarah.id, new InputFile(Buffer.alloc(0), "a")))).toBe("Bad Request: file must be non-empty");
    const huge = new InputFile(Buffer.alloc(50 * 1_048_576 + 1), "a");
    expect(await refusal(client.sendDocument(sarah.id, huge))).toBe("Request Entity Too Large");
    const long = client.sendPhoto(sarah.id, new InputFile(png(4, 4), "a.png"), { caption: "x".repeat(1_025) });
    expect(await refusal(long)).toBe("Bad Request: message caption is too long");
    expect(api.sent).toEqual([]);
  });

  test("an album is as many messages of one group, and takes no mixture with documents", async () => {
    const { api, sarah, client } = await setup();
    const photo = (caption: string) => InputMediaBuilder.photo(new InputFile(png(4, 4), "a.png"), { caption });
    const messages = await client.sendMediaGroup(sarah.id, [photo("one"), photo("two")]);
    expect(messages).toMatchObject([
      { message_id: 1, caption: "one" },
      { message_id: 2, caption: "two" },
    ]);
    const { media_group_id } = api.sent[0] ?? {};
    expect(messages).toMatchObject([{ media_group_id }, { media_group_id }]);
    expect(api.sent).toMatchObject([{ caption: "one" }, { caption: "two", media_group_id: expect.stringMatching(/^\d+$/) }]);
    const mixture: unknown[] = [photo("one"), InputMediaBuilder.document("x")];
    const mixed = client.sendMediaGroup(sarah.id, mixture as never);
    expect(await refusal(mixed)).toBe("Bad Request: documents can't be mixed with other media types");
    const broken = client.sendMediaGroup(sarah.id, [photo("one"), InputMediaBuilder.photo("nonsense")]);
    expect(await refusal(broken)).toBe(
      'Bad Request: failed to send message #2 with the error message "wrong file identifier/HTTP URL specified"',
    );
    expect(api.sent).toHaveLength(2);
  });

  test("a caption is edited, a reaction set", async () => {
    const { api, bot, sarah, client } = await setup();
    const { message_id } = await client.sendPhoto(sarah.id, new InputFile(png(4, 4), "a.png"), { caption: "Look" });
    await client.editMessageCaption(sarah.id, message_id, { caption: "See" });
    await client.setMessageReaction(sarah.id, message_id, [{ type: "emoji", emoji: "👍" }]);
    expect(api.history(bot, sarah)).toMatchObject([{ caption: "See", bot_reaction: { emoji: "👍" } }]);
    expect(await refusal(client.editMessageText(sarah.id, message_id, "x"))).toBe("Bad Request: there is no text in the message to edit");
  });
});

describe("files that people send", () => {
  test("a file arrives with its caption and is fetched with its bytes", async () => {
    const { api, bot, sarah, client, bytesOf } = await setup();
    const bytes = Buffer.from("%PDF-1.7");
    api.sendFile(bot, sarah, {
      kind: "document",
      bytes: bytes.toString("base64"),
      name: "offer.pdf",
      type: "application/pdf",
      caption: "Hm",
    });
    const [update] = await client.getUpdates();
    expect(update).toMatchObject({
      message: { caption: "Hm", document: { file_name: "offer.pdf", mime_type: "application/pdf", file_size: 8 } },
    });
    expect(await bytesOf(update?.message?.document?.file_id ?? "")).toEqual(new Uint8Array(bytes));
  });

  test("an album arrives as a message for each file, all of one group", async () => {
    const { api, bot, sarah, client } = await setup();
    api.sendAlbum(bot, sarah, [{ kind: "photo", caption: "Two" }, { kind: "video" }]);
    const updates = await client.getUpdates();
    expect(updates).toMatchObject([{ message: { caption: "Two", photo: [{}, { width: 1 }] } }, { message: { video: {} } }]);
    expect(new Set(updates.map(({ message }) => message?.media_group_id)).size).toBe(1);
  });

  test("what is over 20 MB, of another bot or unknown can't be fetched", async () => {
    const { api, bot, sarah, client } = await setup();
    api.sendFile(bot, sarah, { kind: "video", size: 21 * 1_048_576 });
    const [update] = await client.getUpdates();
    const fileId = update?.message?.video?.file_id ?? "";
    expect(await refusal(client.getFile(fileId))).toBe("Bad Request: file is too big");
    const other = new Api(api.addBot().token, { apiRoot: api.url });
    expect(await refusal(other.getFile(fileId))).toBe("Bad Request: wrong file_id or the file is temporarily unavailable");
    expect((await fetch(`${api.url}/file/bot${bot.token}/photos/none.jpg`)).status).toBe(404);
  });
});
