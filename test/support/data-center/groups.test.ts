import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { tl } from "@mtcute/core";
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

/** A supergroup with its number as clients write it, which a client that got a message from there may write to. */
async function supergroup({ user, telegram }: LoggedIn, options: { isForum?: boolean } = {}) {
  const tom = addUser({ firstName: "Tom" });
  const username = `club_${tom.id}`;
  const group = dc.addGroup({ kind: "channel", title: "The club", username, members: [user, tom], ...options });
  await telegram.resolvePeer(username);
  return { tom, group, chatId: -1_000_000_000_000 - group.id };
}

describe("a basic group", () => {
  test("has its messages in the boxes of its members", async () => {
    await using sarah = await loggedIn();
    await using tom = await loggedIn();
    const group = dc.addGroup({ kind: "chat", title: "Friends", members: [sarah.user, tom.user] });
    const seen = next(tom, "onNewMessage");
    await sarah.telegram.sendText(-group.id, "hello all");
    expect(await seen).toMatchObject({ text: "hello all", chat: { title: "Friends" }, sender: { id: sarah.user.id } });
    const answer = next(sarah, "onNewMessage", ({ text }) => text === "hello Sarah");
    dc.deliver(tom.user, group, "hello Sarah");
    expect((await answer).chat.id).toBe(-group.id);
    expect(dc.history(sarah.user).map(({ text, to }) => ({ text, to }))).toEqual([
      { text: "hello all", to: group.id },
      { text: "hello Sarah", to: group.id },
    ]);
    dc.removeMember(group, sarah.user);
    expect(await rejectionOf(sarah.telegram.sendText(-group.id, "hello?"))).toMatchObject({ text: "PEER_ID_INVALID" });
  });
});

describe("a supergroup", () => {
  test("has messages with numbers of its own", async () => {
    await using sarah = await loggedIn();
    const { tom, group, chatId } = await supergroup(sarah);
    const sent = await sarah.telegram.sendText(chatId, "hello all");
    const seen = next(sarah, "onNewMessage", ({ text }) => text === "hello Sarah");
    dc.deliver(tom, group, "hello Sarah", { replyTo: sent.id });
    expect(await seen).toMatchObject({ id: 2, chat: { id: chatId }, sender: { id: tom.id }, replyToMessage: { id: 1 } });
    expect(dc.history(group).map(({ text }) => text)).toEqual(["hello all", "hello Sarah"]);
    expect(dc.history(sarah.user)).toEqual([]);
    expect((await sarah.telegram.getHistory(chatId)).map(({ text }) => text)).toEqual(["hello Sarah", "hello all"]);
  });

  test("tells a client what it missed", async () => {
    await using sarah = await loggedIn();
    const { tom, group } = await supergroup(sarah);
    dc.deliver(tom, group, "first");
    await sarah.client.waitForTexts(1);
    dc.goDown();
    for (const text of ["second", "third"]) dc.deliver(tom, group, text);
    dc.comeUp();
    await sarah.telegram.getMe();
    sarah.telegram.handleClientUpdate({ _: "updatesTooLong" }, false);
    await sarah.client.waitForTexts(3);
    expect(sarah.client.texts).toEqual(["first", "second", "third"]);
    expect(dc.calls.some(({ method, userId }) => method === "updates.getChannelDifference" && userId === sarah.user.id)).toBe(true);
  });

  test("is read, edited and cleared", async () => {
    await using sarah = await loggedIn();
    const { tom, group, chatId } = await supergroup(sarah);
    const sent = await sarah.telegram.sendText(chatId, "helo all");
    const isRead = next(sarah, "onHistoryRead", ({ isOutbox }) => isOutbox);
    dc.read(tom, group);
    expect((await isRead).maxReadId).toBe(sent.id);
    await sarah.telegram.editMessage({ chatId, message: sent.id, text: "hello all" });
    expect(dc.history(group)).toMatchObject([{ text: "hello all", isEdited: true }]);
    const { id } = dc.deliver(tom, group, "spam");
    const gone = next(sarah, "onDeleteMessage");
    dc.remove(group, id);
    const { messageIds, channelId } = await gone;
    expect({ messageIds, channelId }).toEqual({ messageIds: [id], channelId: chatId });
    await sarah.telegram.deleteMessagesById(chatId, [sent.id]);
    expect(dc.history(group)).toEqual([]);
  });

  test("can make its members wait, and turn them away", async () => {
    await using sarah = await loggedIn();
    const { group, chatId } = await supergroup(sarah);
    dc.fail("messages.sendMessage", 420, "SLOWMODE_WAIT_15", 1, sarah.user.id);
    expect(await rejectionOf(sarah.telegram.sendText(chatId, "hello"))).toMatchObject({ text: "SLOWMODE_WAIT_%d", seconds: 15 });
    dc.refuse(group, "CHAT_WRITE_FORBIDDEN");
    expect(await rejectionOf(sarah.telegram.sendText(chatId, "hello"))).toMatchObject({ text: "CHAT_WRITE_FORBIDDEN" });
  });

  test("is known to its members alone", async () => {
    await using sarah = await loggedIn();
    const { tom, group, chatId } = await supergroup(sarah);
    expect((await sarah.telegram.getFullChat(chatId)).membersCount).toBe(2);
    expect((await sarah.telegram.getChatMembers(chatId)).map(({ user }) => user.id)).toEqual([sarah.user.id, tom.id]);
    dc.removeMember(group, sarah.user);
    expect(await rejectionOf(sarah.telegram.sendText(chatId, "hello"))).toMatchObject({ text: "CHAT_WRITE_FORBIDDEN" });
  });
});

test("a stranger who was met in a supergroup can be written to by saying where", async () => {
  await using sarah = await loggedIn();
  const { tom, group, chatId } = await supergroup(sarah);
  const seen = next(sarah, "onNewMessage");
  dc.deliver(tom, group, "hello all");
  const { id: msgId, sender } = await seen;
  expect(sender).toMatchObject({ id: tom.id, isMin: true });
  // mtcute would use the access hash that a stranger comes with, which is good for nothing.
  expect(await rejectionOf(sarah.telegram.sendText(tom.id, "hello"))).toMatchObject({ text: "PEER_ID_INVALID" });
  const peer = await sarah.telegram.resolvePeer(chatId);
  await sarah.telegram.sendText({ _: "inputPeerUserFromMessage", peer, msgId, userId: tom.id }, "hello Tom");
  expect(dc.history(tom)).toMatchObject([{ from: sarah.user.id, text: "hello Tom" }]);
});

describe("a forum", () => {
  test("has topics, in which messages stand", async () => {
    await using sarah = await loggedIn();
    const { tom, group, chatId } = await supergroup(sarah, { isForum: true });
    const topic = dc.addTopic(group, tom, "Orders");
    await sarah.telegram.sendText(chatId, "in the topic", { replyTo: topic.id });
    await sarah.telegram.sendText(chatId, "in general");
    expect(dc.history(group).slice(1)).toMatchObject([{ text: "in the topic", topicId: topic.id }, { text: "in general" }]);
    expect(dc.history(group)[2]).not.toHaveProperty("topicId");
    const seen = next(sarah, "onNewMessage", ({ text }) => text === "an answer");
    dc.deliver(tom, group, "an answer", { topicId: topic.id, replyTo: 2 });
    expect((await seen).replyToMessage).toMatchObject({ id: 2, threadId: topic.id, isForumTopic: true });
    const found = await sarah.telegram.searchMessages({ chatId, threadId: topic.id });
    expect(found.map(({ text }) => text)).toEqual(["an answer", "in the topic"]);
  });

  test("lets members open topics, until they are closed", async () => {
    await using sarah = await loggedIn();
    const { group, chatId } = await supergroup(sarah, { isForum: true });
    const { id } = await sarah.telegram.createForumTopic({ chatId, title: "Returns" });
    const topics = await sarah.telegram.getForumTopics(chatId);
    expect(topics.map(({ id, title }) => ({ id, title }))).toEqual([{ id, title: "Returns" }]);
    dc.closeTopic(group, id);
    expect(await rejectionOf(sarah.telegram.sendText(chatId, "hello", { replyTo: id }))).toMatchObject({ text: "TOPIC_CLOSED" });
  });

  test("has reactions", async () => {
    await using sarah = await loggedIn();
    const { tom, group, chatId } = await supergroup(sarah, { isForum: true });
    const sent = await sarah.telegram.sendText(chatId, "done");
    const seen = next(sarah, "onRawUpdate", ({ update }) => update._ === "updateMessageReactions");
    dc.react(tom, group, sent.id, "👍");
    const { msgId, peer } = (await seen).update as tl.RawUpdateMessageReactions;
    expect({ msgId, peer }).toEqual({ msgId: sent.id, peer: { _: "peerChannel", channelId: group.id } });
  });
});
