import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { OutgoingFile } from "#src/modules/messages/channel.ts";
import { account, setup, signal, type Setup } from "#test/support/telegram-user.ts";

let app: Setup;
let sends = 0;

beforeAll(async () => {
  app = await setup();
  await app.connected();
});
afterAll(() => app[Symbol.asyncDispose]());

const id = () => `msg_${(sends += 1)}`;
const last = () => app.dc.history(app.bob).at(-1);
const bob = { recipient: "@bob_other", chat_id: null };

describe("a message of a user account", () => {
  test("arrives by the username, and teaches who it is", async () => {
    expect(await app.send({ id: id(), text: "Hi Bob" })).toEqual({
      kind: "sent",
      remote_id: expect.stringMatching(/^\d+$/),
      reached: "sent",
      chat: {
        chat_id: String(app.bob.id),
        type: "private",
        title: null,
        first_name: "Bob",
        last_name: null,
        username: "bob_other",
      },
    });
    expect(last()).toMatchObject({ text: "Hi Bob", from: app.ann.id });
  });

  test.each(["Once", "Once, with white space that Telegram cuts off\n"])("is not sent twice when it is sent again: %j", async (text) => {
    const again = { id: id(), text };
    const first = await app.send(again);
    const count = app.dc.history(app.bob).length;
    expect(await app.send(again)).toEqual(first);
    expect(app.dc.history(app.bob)).toHaveLength(count);
  });

  test("is sent again when the answer to it was lost, and arrives once", async () => {
    const count = app.dc.history(app.bob).length;
    app.dc.loseAnswers("messages.sendMessage");
    const sent = await app.send({ id: id(), text: "Lost and found" });
    expect(sent).toMatchObject({ kind: "sent", remote_id: expect.any(String) });
    expect(app.dc.history(app.bob)).toHaveLength(count + 1);
  });

  test("arrives by the number, also of somebody who is found among contacts alone", async () => {
    app.dc.addUser({ firstName: "Cat", phone: "4915100000003" });
    expect(await app.send({ id: id(), recipient: "+4915100000003" })).toMatchObject({ kind: "sent", chat: { first_name: "Cat" } });
    app.dc.addUser({ firstName: "Dan", phone: "4915100000004" });
    app.dc.fail("contacts.resolvePhone", 400, "PHONE_NOT_OCCUPIED");
    expect(await app.send({ id: id(), recipient: "+4915100000004" })).toMatchObject({ kind: "sent", chat: { first_name: "Dan" } });
    const nobody = await app.send({ id: id(), recipient: "+4915100000005" });
    expect(nobody).toMatchObject({ kind: "failed", code: "recipient_not_found" });
  });

  test("arrives as formatted, silently, as an answer", async () => {
    const question = app.dc.deliver(app.bob, app.ann, "Really?");
    const text = "<b>Yes</b> &amp; <a href='https://a.example'>so</a>";
    const sent = await app.send({ id: id(), text, parse_mode: "HTML", silent: true, reply_to: String(question.id) });
    expect(sent).toMatchObject({ kind: "sent" });
    expect(last()).toMatchObject({
      text: "Yes & so",
      entities: [
        { _: "messageEntityBold", offset: 0, length: 3 },
        { _: "messageEntityTextUrl", offset: 6, length: 2, url: "https://a.example" },
      ],
      replyTo: expect.any(Number),
    });
    const call = app.dc.calls.findLast(({ method }) => method === "messages.sendMessage");
    expect(call?.request["silent"]).toBe(true);
  });

  test("brings a file of ours, and one that Telegram fetches", async () => {
    const bytes = new Uint8Array(1_200_000).map((_, at) => at % 249);
    const files: OutgoingFile[] = [{ type: "document", name: "a.bin", mime: "application/x-a", source: { blob: new Blob([bytes]) } }];
    const sent = await app.send({ id: id(), text: "See", files });
    expect(sent).toMatchObject({ kind: "sent" });
    expect(last()).toMatchObject({ text: "See", media: { kind: "document", fileName: "a.bin", mimeType: "application/x-a" } });
    const received = last();
    expect(Buffer.from(app.dc.fileOf(app.bob, received?.id ?? 0), "base64").equals(bytes)).toBe(true);
    const photo: OutgoingFile = { type: "photo", name: null, mime: null, source: { url: "https://a.example/p.jpg" } };
    await app.send({ id: id(), text: "", files: [photo] });
    expect(last()).toMatchObject({ media: { kind: "photo", url: "https://a.example/p.jpg" } });
  });

  test("brings an album, once", async () => {
    const photo = (at: number): OutgoingFile => ({
      type: "photo",
      name: null,
      mime: "image/jpeg",
      source: { blob: new Blob([Uint8Array.of(at)]) },
    });
    const album = { id: id(), text: "Album", files: [photo(1), photo(2), photo(3)] };
    const count = app.dc.history(app.bob).length;
    const sent = await app.send(album);
    const [first, second, third] = app.dc.history(app.bob).slice(count);
    expect([first?.text, second?.text, third?.text]).toEqual(["Album", "", ""]);
    expect([first?.albumId, third?.albumId]).toEqual([expect.any(String), first?.albumId as never]);
    expect(sent).toEqual({
      kind: "sent",
      remote_id: expect.any(String),
      others: [expect.any(String), expect.any(String)],
      reached: "sent",
      chat: expect.anything(),
    });
    expect(await app.send(album)).toEqual(sent);
    expect(app.dc.history(app.bob)).toHaveLength(count + 3);
    const { remote_id, others = [] } = sent.kind === "sent" ? sent : { remote_id: null };
    await app.user.channel.remove!(account, { ...bob, remote_id: remote_id ?? "", others }, signal);
    expect(app.dc.history(app.bob)).toHaveLength(count);
  });

  test("is changed and taken back, also when that is asked for twice", async () => {
    const sent = await app.send({ id: id(), text: "Frist" });
    const message = { ...bob, remote_id: sent.kind === "sent" ? (sent.remote_id ?? "") : "", others: [] };
    const revision = { text: "*First*", parse_mode: "MarkdownV2" as const, buttons: [], isCaption: false };
    const { edit, remove } = app.user.channel;
    expect(await edit!(account, message, revision, signal)).toEqual({ kind: "done" });
    expect(last()).toMatchObject({ text: "First", isEdited: true, entities: [{ _: "messageEntityBold" }] });
    expect(await edit!(account, message, revision, signal)).toEqual({ kind: "done" });
    const count = app.dc.history(app.bob).length;
    expect(await remove!(account, message, signal)).toEqual({ kind: "done" });
    expect(app.dc.history(app.bob)).toHaveLength(count - 1);
    expect(await remove!(account, message, signal)).toEqual({ kind: "done" });
  });

  test("waits for nothing while the account is not connected", async () => {
    const away = { ...account, id: 10_002 };
    const { channel } = app.user;
    const refusal = { kind: "unreached", reason: "The account has no connection to Telegram right now." } as const;
    expect(await channel.profile(away, bob, signal)).toEqual(refusal);
    expect(await channel.remove!(away, { ...bob, remote_id: "1", others: [] }, signal)).toEqual(refusal);
  });
});

test("a user account asks for somebody's names", async () => {
  expect(await app.user.channel.profile(account, bob, signal)).toMatchObject({
    kind: "profile",
    profile: { first_name: "Bob", last_name: null, username: "bob_other" },
    chat: { chat_id: String(app.bob.id) },
  });
});

test.each([
  ["Sarah_Miller", "@sarah_miller"],
  ["@Sarah_Miller", "@sarah_miller"],
  [123456789, "123456789"],
  ["-1001234567890", "-1001234567890"],
  ["+49 151 (000) 00-001", "+4915100000001"],
  ["+0123", null],
  ["no name", null],
  ["https://t.me/x", null],
])("the recipient %p is kept as %p", (recipient, kept) => {
  expect(app.user.channel.normalize(recipient)).toBe(kept);
});
