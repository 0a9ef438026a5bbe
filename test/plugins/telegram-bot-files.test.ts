import { afterEach, describe, expect, test } from "bun:test";
import { createTelegramBotChannel } from "#plugins/telegram-bot/channel.ts";
import type { ChannelAccount, FetchResult, Outgoing, OutgoingFile, Revision } from "#src/modules/messages/channel.ts";
import { startBotApi } from "#test/support/bot-api/start.ts";
import { gif, jpeg, mp4, pdf, png } from "#test/support/filing.ts";
import { tempFolder } from "#test/support/temp-folder.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const never = new AbortController().signal;
const MB = 1_000_000;

async function setup({ timeoutMs = 5_000 } = {}) {
  const api = await startBotApi();
  cleanups.push(() => api.stop());
  const bot = api.addBot({ username: "post_bot" });
  const sarah = api.addPrivateChat(bot, { first_name: "Sarah" });
  const account: ChannelAccount = { env_id: 1, id: 10_000, username: "post_bot", token: bot.token };
  const channel = createTelegramBotChannel({ apiRoot: api.url, timeoutMs });
  const to = { recipient: String(sarah.id), chat_id: null };
  async function send(message: Partial<Outgoing>) {
    const plain = { id: "msg_1", text: "", silent: false, reply_to: null, topic_id: null, parse_mode: null, files: [], buttons: [] };
    const result = await channel.send(account, { ...to, ...plain, ...message }, never);
    expect(JSON.stringify(result)).not.toContain(bot.token.split(":")[1]!);
    return result;
  }
  const sentAs = (remote_id: string, others: string[] = []) => ({ ...to, remote_id, others });
  const history = () => api.history(bot, sarah);
  return { api, bot, sarah, account, channel, send, sentAs, history };
}

function file(
  type: OutgoingFile["type"],
  bytes: Uint8Array<ArrayBuffer> | string,
  name: string | null = null,
  mime: string | null = null,
): OutgoingFile {
  return { type, name, mime, source: { blob: new Blob([bytes]) } };
}

const revision = (text: string, more: Partial<Revision> = {}): Revision => ({
  text,
  parse_mode: null,
  buttons: [],
  isCaption: false,
  ...more,
});

async function bytesOf(result: FetchResult): Promise<Uint8Array> {
  if (result.kind !== "file") throw new Error(result.kind);
  return new Uint8Array(await new Response(result.bytes).arrayBuffer());
}

describe("a bot", () => {
  test.each([
    ["photo", jpeg],
    ["document", pdf],
    ["video", mp4],
    ["animation", gif],
    ["voice", pdf],
    ["audio", pdf],
  ] as const)("sends a file of ours as %s, with a caption, markup and buttons", async (type, bytes) => {
    const { send, history, channel, account } = await setup();
    const name = 'a "b"; ü\r\n.bin';
    const result = await send({
      ...{ text: "<b>Look</b>", parse_mode: "HTML", files: [file(type, bytes, name)] },
      buttons: [
        [
          { text: "Yes", data: "yes" },
          { text: "Read", url: "https://example.com/" },
        ],
      ],
    });
    expect(result).toMatchObject({ kind: "sent", remote_id: "1", reached: "sent" });
    const [message] = history() as unknown as Record<string, never>[];
    expect(message).toMatchObject({
      caption: "Look",
      caption_entities: [{ type: "bold", offset: 0, length: 4 }],
      reply_markup: {
        inline_keyboard: [
          [
            { text: "Yes", callback_data: "yes" },
            { text: "Read", url: "https://example.com/" },
          ],
        ],
      },
    });
    const media = (message as unknown as Record<string, { file_id: string } | { file_id: string }[]>)[type]!;
    const { file_id } = Array.isArray(media) ? media.at(-1)! : media;
    expect(await bytesOf(await channel.fetchFile!(account, file_id, never))).toEqual(new Uint8Array(bytes));
  });

  test("lets Telegram fetch a file by its address", async () => {
    const { api, send } = await setup();
    const site = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(jpeg) });
    cleanups.push(() => site.stop(true));
    const source = { url: `${site.url.href}a.jpg` };
    expect(await send({ files: [{ type: "photo", name: null, mime: null, source }] })).toMatchObject({ kind: "sent" });
    expect(api.sent[0]).toMatchObject({ caption: null });
  });

  test("sends several as an album, with the caption on the first", async () => {
    const { api, send, history } = await setup();
    const files = [file("photo", jpeg), file("video", mp4), file("photo", png)];
    expect(await send({ text: "Album", files })).toMatchObject({ kind: "sent", remote_id: "1", others: ["2", "3"] });
    expect(history().map(({ caption }) => caption)).toEqual(["Album", undefined, undefined]);
    expect(new Set(api.sent.map(({ media_group_id }) => media_group_id)).size).toBe(1);
  });

  test("sends as much as a bot may, from the disk", async () => {
    const { send, history } = await setup();
    using folder = tempFolder();
    const path = `${folder.path}/large`;
    await Bun.write(path, new Uint8Array(49 * MB).fill(65));
    const blob = Bun.file(path);
    const result = await send({ files: [{ type: "document", name: "large.bin", mime: null, source: { blob } }] });
    expect(result.kind).toBe("sent");
    expect(history()[0]).toMatchObject({ document: { file_size: 49 * MB, file_name: "large.bin" } });
  });

  test("makes no lines of its request of what somebody has called a file's type", async () => {
    const { send, history } = await setup();
    const files = [file("document", "as it was", "a", "text/plain\r\nX-Other: 1\r\n\r\nbefore it")];
    expect(await send({ files })).toMatchObject({ kind: "sent" });
    expect(history()[0]).toMatchObject({ document: { file_size: "as it was".length, mime_type: "application/octet-stream" } });
  });

  test("writes into a forum's topic", async () => {
    const { api, bot, sarah, send } = await setup();
    const forum = api.addGroup(bot, { type: "supergroup", title: "Help", is_forum: true });
    const topic = api.createTopic(bot, forum, "Invoices", { from: sarah });
    await send({ recipient: String(forum.id), text: "Hi", topic_id: String(topic) });
    expect(api.history(bot, forum).at(-1)).toMatchObject({ text: "Hi", message_thread_id: topic });
  });

  test("does not know what became of a file that it had begun to send", async () => {
    const { api, send } = await setup();
    api.fault({ kind: "reset", done: true }, { method: "sendDocument" });
    expect(await send({ files: [file("document", pdf)] })).toMatchObject({ kind: "unknown" });
    api.fault({ kind: "reset", done: false }, { method: "sendDocument" });
    expect((await send({ files: [file("document", pdf)] })).kind).toBe("unknown");
    const away = createTelegramBotChannel({ apiRoot: "http://127.0.0.1:1", timeoutMs: 1_000 });
    const plain = { id: "msg_1", text: "", silent: false, reply_to: null, topic_id: null, parse_mode: null, buttons: [] };
    const account = { env_id: 1, id: 1, username: null, token: "7:secret" };
    expect(await away.send(account, { recipient: "5", chat_id: null, ...plain, files: [file("document", pdf)] }, never)).toMatchObject({
      kind: "unreached",
    });
  });

  test("changes a text, its buttons and a caption; what is so already is changed", async () => {
    const { send, sentAs, channel, account, history } = await setup();
    await send({ text: "One", buttons: [[{ text: "Yes", data: "yes" }]] });
    await send({ text: "Two", files: [file("photo", jpeg)] });
    const edit = (id: string, to: Revision) => channel.edit!(account, sentAs(id), to, never);
    const bold = revision("*One\\!*", { parse_mode: "MarkdownV2" });
    expect(await edit("1", bold)).toEqual({ kind: "done" });
    expect(await edit("1", bold)).toEqual({ kind: "done" });
    expect(await edit("2", revision("Two!", { isCaption: true }))).toEqual({ kind: "done" });
    expect(history()).toMatchObject([{ text: "One!" }, { caption: "Two!" }]);
    expect(history()[0]!.reply_markup).toBeUndefined();
    expect(await edit("9", bold)).toMatchObject({
      kind: "failed",
      code: "message_rejected",
      message: expect.stringContaining("not found"),
    });
  });

  test("deletes a message and a whole album; what is gone already is deleted", async () => {
    const { send, sentAs, channel, account, history } = await setup();
    await send({ text: "One" });
    await send({ files: [file("photo", jpeg), file("photo", png)] });
    const remove = (id: string, others: string[] = []) => channel.remove!(account, sentAs(id, others), never);
    expect(await remove("1")).toEqual({ kind: "done" });
    expect(await remove("1")).toEqual({ kind: "done" });
    expect(await remove("2", ["3"])).toEqual({ kind: "done" });
    expect(history()).toEqual([]);
  });
});

describe("a received file", () => {
  async function received() {
    const all = await setup();
    await all.send({ files: [file("document", pdf)] });
    const [message] = all.history() as unknown as { document: { file_id: string } }[];
    const fetchFile = async (id = message!.document.file_id) => {
      const result = await all.channel.fetchFile!(all.account, id, never);
      expect(JSON.stringify(result)).not.toContain(all.bot.token.split(":")[1]!);
      return result;
    };
    return { ...all, fetchFile };
  }

  test("comes with its size", async () => {
    const { fetchFile } = await received();
    expect(await fetchFile()).toMatchObject({ kind: "file", size: pdf.byteLength });
  });

  test("that Telegram doesn't know can't be had, and one that is away at the moment can be later", async () => {
    const { api, fetchFile } = await received();
    expect(await fetchFile("nothing")).toMatchObject({ kind: "failed", code: "message_rejected" });
    api.fault({ kind: "status", status: 502 }, { method: "file" });
    expect(await fetchFile()).toMatchObject({ kind: "unreached" });
    api.fault({ kind: "status", status: 404 }, { method: "file" });
    expect(await fetchFile()).toMatchObject({ kind: "failed" });
    api.fault({ kind: "raw", bytes: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf" }, { method: "file" });
    const half = await fetchFile();
    expect(String(await bytesOf(half).catch(String))).toBe("Error: the file broke off on its way from Telegram");
    api.fault({ kind: "reset", done: false }, { method: "getFile" });
    expect(await fetchFile()).toMatchObject({ kind: "unreached" });
    expect(await bytesOf(await fetchFile())).toEqual(pdf);
  });
});
