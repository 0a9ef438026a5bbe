import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { InputMedia, tl } from "@mtcute/core";
import { rejectionOf } from "#test/support/rejection.ts";
import type { DataCenter } from "./start.ts";
import { next, startTestDataCenter, type LoggedIn, type TestDataCenter } from "./test-setup.ts";

let dc: DataCenter;
let addUser: TestDataCenter["addUser"];
let loggedIn: TestDataCenter["loggedIn"];

beforeAll(async () => {
  ({ dc, addUser, loggedIn } = await startTestDataCenter());
});
afterAll(() => dc.stop());

describe("what is done to messages", () => {
  test("is reading, of which the writer is told", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    const sent = await sarah.telegram.sendText(tom.username, "hello");
    const isRead = next(sarah, "onHistoryRead");
    dc.read(tom, sarah.user);
    expect(await isRead).toMatchObject({ isOutbox: true, maxReadId: sent.id, chatId: tom.id });
  });

  test("is reading by a client, of which the other one is told", async () => {
    await using sarah = await loggedIn();
    await using tom = await loggedIn();
    const sent = await sarah.telegram.sendText(tom.user.username, "hello");
    const isRead = next(sarah, "onHistoryRead");
    await tom.telegram.readHistory(sarah.user.username);
    expect((await isRead).maxReadId).toBe(sent.id);
  });

  test("is editing, by either side", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    const sent = await sarah.telegram.sendText(tom.username, "helo");
    const edited = await sarah.telegram.editMessage({ chatId: tom.username, message: sent.id, text: "hello" });
    expect(edited.text).toBe("hello");
    expect(dc.history(tom)).toMatchObject([{ text: "hello", isEdited: true }]);
    const again = sarah.telegram.editMessage({ chatId: tom.username, message: sent.id, text: "hello" });
    expect(await rejectionOf(again)).toMatchObject({ text: "MESSAGE_NOT_MODIFIED" });
    const seen = next(sarah, "onEditMessage");
    const { id } = dc.deliver(tom, sarah.user, "helo");
    dc.edit(sarah.user, id, "hello");
    expect(await seen).toMatchObject({ id, text: "hello" });
    const foreign = sarah.telegram.editMessage({ chatId: tom.username, message: id, text: "what?" });
    expect(await rejectionOf(foreign)).toMatchObject({ text: "MESSAGE_AUTHOR_REQUIRED" });
  });

  test("is deleting, by either side", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    const { id } = dc.deliver(tom, sarah.user, "oh no");
    const seen = next(sarah, "onDeleteMessage");
    dc.remove(sarah.user, id);
    expect((await seen).messageIds).toEqual([id]);
    const sent = await sarah.telegram.sendText(tom.username, "oh no");
    await sarah.telegram.deleteMessagesById(tom.username, [sent.id], { revoke: true });
    expect(dc.history(tom)).toEqual([]);
    expect(dc.history(sarah.user)).toEqual([]);
  });

  test("is missed by a client that is away, and told to it when it is back", async () => {
    const { user, client, telegram } = await loggedIn();
    const tom = addUser();
    const sent = await telegram.sendText(tom.username, "hello");
    const read = next({ user, client, telegram } as LoggedIn, "onHistoryRead");
    dc.goDown();
    dc.read(tom, user);
    dc.comeUp();
    await telegram.getMe();
    telegram.handleClientUpdate({ _: "updatesTooLong" }, false);
    expect((await read).maxReadId).toBe(sent.id);
    await client.close();
  });

  test("is typing", async () => {
    await using sarah = await loggedIn();
    await using tom = await loggedIn();
    const seen = next(sarah, "onUserTyping");
    await tom.telegram.sendTyping(sarah.user.username);
    expect((await seen).userId).toBe(tom.user.id);
  });

  test("is reacting", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    const { id } = dc.deliver(tom, sarah.user, "well done");
    await sarah.telegram.sendReaction({ chatId: tom.username, message: id, emoji: "👍" });
    expect(dc.history(sarah.user)).toMatchObject([{ reactions: { [sarah.user.id]: ["👍"] } }]);
    const seen = next(sarah, "onRawUpdate", ({ update }) => update._ === "updateMessageReactions" && update.reactions.results.length === 2);
    dc.react(tom, sarah.user, id, "🎉");
    const { reactions, peer } = (await seen).update as tl.RawUpdateMessageReactions;
    expect(peer).toEqual({ _: "peerUser", userId: tom.id });
    expect(reactions.results.map(({ reaction }) => reaction)).toEqual([
      { _: "reactionEmoji", emoticon: "👍" },
      { _: "reactionEmoji", emoticon: "🎉" },
    ]);
  });

  test("is replying", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    const question = await sarah.telegram.sendText(tom.username, "how are you?");
    const seen = next(sarah, "onNewMessage", ({ text }) => text === "fine");
    const answer = dc.deliver(tom, sarah.user, "fine", { replyTo: question.id });
    expect((await seen).replyToMessage?.id).toBe(question.id);
    await sarah.telegram.sendText(tom.username, "good", { replyTo: answer.id });
    expect(dc.history(tom).map(({ id, replyTo }) => ({ id, replyTo }))).toEqual([
      { id: 1, replyTo: undefined },
      { id: 2, replyTo: 1 },
      { id: 3, replyTo: 2 },
    ]);
  });
});

describe("what a client looks up", () => {
  test("is people by their number, unless they hide it", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    const hidden = addUser({ hidesPhone: true });
    expect(await sarah.telegram.resolvePhoneNumber(tom.phone)).toMatchObject({ userId: tom.id });
    expect(String(await rejectionOf(sarah.telegram.resolvePhoneNumber(hidden.phone)))).toContain("not found");
    const contacts = [tom, hidden].map(({ phone }) => ({ phone, firstName: "Tom", lastName: "" }));
    const { users } = await sarah.telegram.importContacts(contacts);
    expect(users.map(({ id }) => id)).toEqual([tom.id]);
    expect((await sarah.telegram.getContacts()).map(({ id }) => id)).toEqual([tom.id]);
  });

  test("is the history of a conversation", async () => {
    await using sarah = await loggedIn();
    const [tom, ann] = [addUser(), addUser()];
    for (const text of ["one", "two", "three"]) dc.deliver(tom, sarah.user, text);
    dc.deliver(ann, sarah.user, "something else");
    const all = await sarah.telegram.getHistory(tom.username);
    expect(all.map(({ text }) => text)).toEqual(["three", "two", "one"]);
    const older = await sarah.telegram.getHistory(tom.username, { limit: 1, offset: { id: all[0]?.id ?? 0, date: 0 } });
    expect(older.map(({ text }) => text)).toEqual(["two"]);
    const found = await sarah.telegram.searchMessages({ chatId: tom.username, query: "thr" });
    expect(found.map(({ text }) => text)).toEqual(["three"]);
    const [one, missing] = await sarah.telegram.getMessages(tom.username, [all[2]?.id ?? 0, 4711]);
    expect(one?.text).toBe("one");
    expect(missing).toBeNull();
  });

  test("is all conversations, with how far each was read", async () => {
    await using sarah = await loggedIn();
    const [tom, ann] = [addUser(), addUser()];
    await sarah.telegram.sendText(tom.username, "hello");
    dc.read(tom, sarah.user);
    dc.deliver(ann, sarah.user, "one");
    dc.deliver(ann, sarah.user, "two");
    const dialogs = await Array.fromAsync(sarah.telegram.iterDialogs());
    expect(dialogs.map(({ peer, unreadCount, raw }) => ({ id: peer.id, unreadCount, raw }))).toMatchObject([
      { id: ann.id, unreadCount: 2, raw: { readInboxMaxId: 0, topMessage: 3 } },
      { id: tom.id, unreadCount: 0, raw: { readOutboxMaxId: 1, topMessage: 1 } },
    ]);
  });

  test("is what a user says of himself", async () => {
    await using sarah = await loggedIn();
    expect((await sarah.telegram.getFullUser(addUser({ firstName: "Tom" }).username)).firstName).toBe("Tom");
  });
});

test("those who block each other can't write", async () => {
  await using sarah = await loggedIn();
  const [tom, ann, gone] = [addUser(), addUser(), addUser()];
  dc.block(tom, sarah.user);
  expect(await rejectionOf(sarah.telegram.sendText(tom.username, "hello"))).toMatchObject({ text: "USER_IS_BLOCKED" });
  await sarah.telegram.blockUser(ann.username);
  expect(await rejectionOf(sarah.telegram.sendText(ann.username, "hello"))).toMatchObject({ text: "YOU_BLOCKED_USER" });
  const peer = await sarah.telegram.resolvePeer(gone.username);
  dc.deactivate(gone);
  expect(await rejectionOf(sarah.telegram.sendText(peer, "hello"))).toMatchObject({ text: "INPUT_USER_DEACTIVATED" });
});

describe("files", () => {
  const bytes = new Uint8Array(randomBytes(300_000));

  test("are sent and kept", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    await sarah.telegram.sendMedia(tom.username, InputMedia.photo(bytes, { caption: "a photo" }));
    await sarah.telegram.sendMedia(tom.username, InputMedia.document(bytes, { fileName: "a.pdf", fileMime: "application/pdf" }));
    expect(dc.history(tom)).toMatchObject([
      { text: "a photo", media: { kind: "photo", bytes: bytes.length } },
      { text: "", media: { kind: "document", mimeType: "application/pdf", fileName: "a.pdf" } },
    ]);
    expect(dc.fileOf(tom, 2)).toBe(Buffer.from(bytes).toString("base64"));
  });

  test("of many megabytes are sent and fetched", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    const big = new Uint8Array(randomBytes(12_000_000));
    const sent = await sarah.telegram.sendMedia(tom.username, InputMedia.document(big, { fileName: "big.bin" }));
    expect(dc.calls.some(({ method }) => method === "upload.saveBigFilePart")).toBe(true);
    if (sent.media?.type !== "document") throw new Error("no document");
    const fetched = await sarah.telegram.downloadAsBuffer(sent.media);
    expect(Buffer.compare(fetched, big)).toBe(0);
  });

  test("at an address are fetched by Telegram", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    const url = "https://example.com/cat.jpg";
    await sarah.telegram.sendMedia(tom.username, InputMedia.photo(url));
    expect(dc.history(tom)).toMatchObject([{ media: { kind: "photo", url } }]);
  });

  test("go together as an album", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    const media = [InputMedia.photo(bytes, { caption: "both" }), InputMedia.photo("https://example.com/cat.jpg")];
    const sent = await sarah.telegram.sendMediaGroup(tom.username, media);
    expect(sent).toHaveLength(2);
    const [one, two] = dc.history(tom);
    expect(one?.albumId).toBe(two?.albumId ?? "none");
    expect(one?.text).toBe("both");
  });

  test("come in, and can be fetched until their reference expires", async () => {
    await using sarah = await loggedIn();
    const tom = addUser();
    const seen = next(sarah, "onNewMessage");
    dc.deliver(tom, sarah.user, "look", { document: { bytes, fileName: "a.bin", mimeType: "application/x-test" } });
    const { media } = await seen;
    if (media?.type !== "document") throw new Error(`no document but ${media?.type}`);
    expect(media).toMatchObject({ fileName: "a.bin", mimeType: "application/x-test", fileSize: bytes.length });
    expect(Buffer.compare(await sarah.telegram.downloadAsBuffer(media), bytes)).toBe(0);
    dc.expireFileReferences();
    if (!tl.isAnyInputFileLocation(media.location)) throw new Error("no location");
    const again = sarah.telegram.call({ _: "upload.getFile", location: media.location, offset: 0, limit: 4096 });
    expect(await rejectionOf(again)).toMatchObject({ text: "FILE_REFERENCE_EXPIRED" });
  });

  test("of a photo come in", async () => {
    await using sarah = await loggedIn();
    const seen = next(sarah, "onNewMessage");
    dc.deliver(addUser(), sarah.user, "", { photo: bytes });
    const { media } = await seen;
    if (media?.type !== "photo") throw new Error(`no photo but ${media?.type}`);
    expect(Buffer.compare(await sarah.telegram.downloadAsBuffer(media), bytes)).toBe(0);
  });
});
