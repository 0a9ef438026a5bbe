import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Inbound } from "#src/modules/connections/model.ts";
import type { MemoryLink } from "#test/support/memory-link.ts";
import { rejectionOf } from "#test/support/rejection.ts";
import { account, setup, signal, type Setup } from "#test/support/telegram-user.ts";

let app: Setup;
let link: MemoryLink;

beforeAll(async () => {
  app = await setup();
  ({ link } = await app.connected());
});
beforeEach(() => {
  link.happened = [];
});
afterAll(() => app[Symbol.asyncDispose]());

/** What comes next, once so much has come. */
async function next(count = 1): Promise<Inbound[]> {
  await link.until(() => link.happened.length >= count);
  return link.happened;
}

describe("what a user account hears of", () => {
  test("a message that answers one", async () => {
    const first = app.dc.deliver(app.bob, app.ann, "Question");
    app.dc.deliver(app.bob, app.ann, "Answer", { replyTo: first.id });
    const [question, answer] = await next(2);
    expect(question).toMatchObject({ kind: "received", text: "Question", reply_to: null, topic: null, files: [], album_id: null });
    expect(answer).toMatchObject({ kind: "received", text: "Answer", reply_to: String(first.id) });
  });

  test("nothing of what its owner writes elsewhere", async () => {
    app.dc.deliver(app.ann, app.bob, "From the telephone");
    app.dc.deliver(app.bob, app.ann, "Hm?");
    expect(await next()).toEqual([expect.objectContaining({ text: "Hm?" })]);
  });

  test("nothing of what Telegram itself writes, since login codes are among it", async () => {
    const telegram = app.dc.addUser({ id: 777_000, firstName: "Telegram" });
    const { id } = app.dc.deliver(telegram, app.ann, "Login code: 73321. Do not give this code to anyone.");
    app.dc.edit(app.ann, id, "Login code: 73322");
    app.dc.deliver(app.bob, app.ann, "Are you there?");
    expect(await next()).toEqual([expect.objectContaining({ text: "Are you there?" })]);
  });

  test("what somebody has changed, and reacted with", async () => {
    const { id } = app.dc.deliver(app.bob, app.ann, "Frist");
    app.dc.edit(app.ann, id, "First");
    app.dc.react(app.bob, app.ann, id, "👍");
    app.dc.react(app.bob, app.ann, id);
    const [, edited, reacted, back] = await next(4);
    expect(edited).toMatchObject({ kind: "edited", text: "First", remote_id: String(id), sender: { telegram_id: app.bob.id } });
    expect(reacted).toMatchObject({ kind: "reacted", remote_id: String(id), reactions: ["👍"], sender: { first_name: "Bob" } });
    expect(back).toMatchObject({ kind: "reacted", remote_id: String(id), reactions: [] });
  });

  test("that what was sent is read", async () => {
    const sent = await app.send({ id: "msg_read" });
    app.dc.read(app.bob, app.ann);
    expect(await next()).toEqual([
      expect.objectContaining({
        kind: "read",
        up_to: sent.kind === "sent" ? sent.remote_id : "",
        chat: expect.objectContaining({ id: String(app.bob.id), type: "private", first_name: "Bob" }),
        sender: expect.objectContaining({ telegram_id: app.bob.id }),
      }),
    ]);
  });

  test("a photo and a document, whose bytes can be fetched", async () => {
    const bytes = new Uint8Array(700_000).map((_, at) => at % 251);
    app.dc.deliver(app.bob, app.ann, "Look", { photo: new Uint8Array([1, 2, 3]) });
    app.dc.deliver(app.bob, app.ann, "", { document: { bytes, fileName: "a.bin", mimeType: "application/x-a" } });
    const [photo, document] = await next(2);
    if (photo?.kind !== "received" || document?.kind !== "received") throw new Error("these are no messages");
    expect(photo).toMatchObject({ text: "Look", files: [{ type: "photo", mime: "image/jpeg" }] });
    expect(document.files).toEqual([expect.objectContaining({ type: "document", name: "a.bin", mime: "application/x-a", size: 700_000 })]);
    expect(await fetched(photo.files[0]!.remote)).toEqual(new Uint8Array([1, 2, 3]));
    expect(await fetched(document.files[0]!.remote)).toEqual(bytes);
  });

  test("a file whose reference has expired meanwhile", async () => {
    app.dc.deliver(app.bob, app.ann, "", { document: { bytes: new Uint8Array([4, 5]), fileName: "b.bin" } });
    const [document] = await next();
    const remote = document?.kind === "received" ? document.files[0]!.remote : "";
    app.dc.fail("upload.getFile", 400, "FILE_REFERENCE_EXPIRED");
    expect(await fetched(remote)).toEqual(new Uint8Array([4, 5]));
    app.dc.fail("upload.getFile", 400, "FILE_REFERENCE_EXPIRED", 2);
    expect(await app.user.channel.fetchFile!(account, remote, signal)).toMatchObject({ kind: "failed" });
    expect(await app.user.channel.fetchFile!(account, "nonsense", signal)).toMatchObject({ kind: "failed" });
  });

  test("a file that is taken away while it is fetched, which does not end as if it were whole", async () => {
    const { id } = app.dc.deliver(app.bob, app.ann, "", { document: { bytes: new Uint8Array(700_000), fileName: "d.bin" } });
    const [document] = await next();
    const remote = document?.kind === "received" ? document.files[0]!.remote : "";
    const answer = await app.user.channel.fetchFile!(account, remote, signal);
    app.dc.remove(app.ann, id);
    app.dc.expireFileReferences();
    const bytes = answer.kind === "file" ? new Response(answer.bytes).bytes() : Promise.resolve(null);
    expect(await rejectionOf(bytes)).toEqual(new Error("Telegram no longer has this file."));
  });

  test("a group", async () => {
    const group = app.dc.addGroup({ title: "Few", kind: "chat", members: [app.ann, app.bob] });
    app.dc.deliver(app.bob, group, "In the group");
    expect(await next()).toEqual([
      expect.objectContaining({
        kind: "received",
        text: "In the group",
        chat: expect.objectContaining({ id: `-${group.id}`, type: "group", title: "Few" }),
        sender: expect.objectContaining({ telegram_id: app.bob.id }),
        topic: null,
      }),
    ]);
    expect(await app.send({ id: "msg_group", recipient: `-${group.id}` })).toMatchObject({ kind: "sent", chat: { title: "Few" } });
  });

  test("that a group has become a supergroup, where it is written to from then on", async () => {
    const few = app.dc.addGroup({ title: "Few", kind: "chat", members: [app.ann, app.bob] });
    app.dc.deliver(app.bob, few, "Before");
    const many = app.dc.migrate(few, app.bob);
    app.dc.deliver(app.bob, many, "After");
    await link.until(() => link.happened.some((one) => "text" in one && one.text === "After"));
    // What is read from the history may have been heard before.
    expect([...new Map(link.happened.map((one) => [JSON.stringify(one), one])).values()]).toEqual([
      expect.objectContaining({ text: "Before", chat: expect.objectContaining({ id: `-${few.id}` }) }),
      expect.objectContaining({ kind: "moved", chat: expect.objectContaining({ id: `-${few.id}`, type: "group" }), to: `-100${many.id}` }),
      expect.objectContaining({ text: "After", chat: expect.objectContaining({ id: `-100${many.id}`, type: "supergroup", title: "Few" }) }),
    ]);
    const chat = { chat_id: `-100${many.id}`, type: "supergroup", title: "Few" };
    expect(await app.send({ id: "msg_moved", recipient: `-${few.id}`, text: "There" })).toMatchObject({ kind: "sent", chat });
    expect(app.dc.history(many).at(-1)).toMatchObject({ text: "There", from: app.ann.id });
  });

  test("where somebody is, and whom they know", async () => {
    app.dc.deliver(app.bob, app.ann, "", { location: { latitude: 52.52, longitude: -13.4 } });
    app.dc.deliver(app.bob, app.ann, "", { contact: { phone: "4915100000009", firstName: "Zoe", lastName: "Q", userId: 700_000_009 } });
    app.dc.deliver(app.bob, app.ann, "", { contact: { phone: "+49 30 1", firstName: "Nobody" } });
    const none = { text: "", files: [], album_id: null };
    expect(await next(3)).toEqual([
      expect.objectContaining({ ...none, location: { latitude: 52.52, longitude: -13.4 }, contact_card: null }),
      expect.objectContaining({
        ...none,
        location: null,
        contact_card: { phone: "4915100000009", first_name: "Zoe", last_name: "Q", telegram_id: 700_000_009 },
      }),
      expect.objectContaining({ contact_card: { phone: "+49 30 1", first_name: "Nobody", last_name: null, telegram_id: null } }),
    ]);
  });

  test("an album, as messages that belong together", async () => {
    app.dc.deliver(app.bob, app.ann, "Both", { photo: new Uint8Array([1]), albumId: 7 });
    app.dc.deliver(app.bob, app.ann, "", { photo: new Uint8Array([2]), albumId: 7 });
    const photo = expect.objectContaining({ type: "photo" });
    expect(await next(2)).toEqual([
      expect.objectContaining({ text: "Both", album_id: "7", files: [photo] }),
      expect.objectContaining({ text: "", album_id: "7", files: [photo] }),
    ]);
  });

  test("a forum, with its topics", async () => {
    const members = [app.ann, app.bob];
    const forum = app.dc.addGroup({ title: "Forum", kind: "channel", isForum: true, username: "the_forum", members });
    app.dc.deliver(app.bob, forum, "Without a topic");
    const topic = app.dc.addTopic(forum, app.bob, "News");
    const post = app.dc.deliver(app.bob, forum, "In the topic", { topicId: topic.id });
    app.dc.deliver(app.bob, forum, "An answer", { topicId: topic.id, replyTo: post.id });
    const happened = await next(4);
    expect(happened).toEqual([
      expect.objectContaining({ text: "Without a topic", topic: { id: "1", title: null } }),
      expect.objectContaining({ kind: "topic", topic: { id: String(topic.id), title: "News" } }),
      expect.objectContaining({
        kind: "received",
        text: "In the topic",
        chat: expect.objectContaining({ id: `-100${forum.id}`, type: "supergroup", title: "Forum", username: "the_forum" }),
        topic: { id: String(topic.id), title: null },
        reply_to: null,
      }),
      expect.objectContaining({ kind: "received", topic: { id: String(topic.id), title: null }, reply_to: String(post.id) }),
    ]);
    const chat_id = `-100${forum.id}`;
    const sent = await app.send({ id: "msg_topic", recipient: chat_id, topic_id: String(topic.id), text: "Into it" });
    expect(sent).toMatchObject({ kind: "sent", chat: { chat_id, type: "supergroup", title: "Forum" } });
    expect(app.dc.history(forum).at(-1)).toMatchObject({ text: "Into it", topicId: topic.id });
  });
});

test("a file on another data centre is fetched there", async () => {
  await using app = await setup({ dcIds: [2, 4] });
  app.dc.moveHome(app.bob, 4);
  const { link } = await app.connected();
  app.dc.deliver(app.bob, app.ann, "", { document: { bytes: new Uint8Array([6, 7]), fileName: "c.bin" } });
  await link.until(() => link.happened.length === 1);
  const [document] = link.happened;
  const remote = document?.kind === "received" ? document.files[0]!.remote : "";
  app.dc.fail("upload.getFile", 401, "AUTH_KEY_UNREGISTERED");
  app.dc.fail("auth.exportAuthorization", 400, "DC_ID_INVALID");
  expect(await app.user.channel.fetchFile!(account, remote, signal)).toMatchObject({ kind: "unreached" });
  const answer = await app.user.channel.fetchFile!(account, remote, signal);
  expect(link.refusal).toBeNull();
  expect(answer.kind === "file" ? await new Response(answer.bytes).bytes() : answer).toEqual(new Uint8Array([6, 7]));
  await link.until(() => link.session !== null && Object.keys(JSON.parse(link.session).keys as object).length === 2);
});

async function fetched(remote: string): Promise<Uint8Array> {
  const answer = await app.user.channel.fetchFile!(account, remote, signal);
  if (answer.kind !== "file") throw new Error(`fetched as ${answer.kind}`);
  return new Response(answer.bytes).bytes();
}
