import { make } from "#test/support/data-center/tl/make.ts";
import type { Long, tl } from "@mtcute/core";
import { unixTime, type Cloud } from "./cloud.ts";
import { post } from "./letters.ts";
import type { ClientSession, Group, Letter, Topic, User } from "./model.ts";
import { presentPeer } from "./peers.ts";

interface NewTopic {
  by: User;
  title: string;
  randomId?: Long;
  /** The one that asked, which learns of it by the answer. */
  session?: ClientSession;
}

/** Opens a forum topic, which has the number of the message that says so. */
export function openTopic(cloud: Cloud, group: Group, { by, title, randomId, session }: NewTopic): { topic: Topic; letter: Letter } {
  const action = { _: "messageActionTopicCreate", title, iconColor: 0 } as const;
  const letter = post(cloud, { from: by, to: group, text: "", action, ...(randomId && { randomId }) }, session);
  const topic: Topic = { id: letter.ids.get(group.box) ?? 0, title, date: unixTime(), by, isClosed: false };
  group.topics.set(topic.id, topic);
  return { topic, letter };
}

/** The messages of a topic, oldest first. */
export function lettersIn({ box }: Group, { id: topicId }: Topic): { id: number; letter: Letter }[] {
  return [...box.letters].map(([id, letter]) => ({ id, letter })).filter(({ id, letter }) => letter.topicId === topicId || id === topicId);
}

export function presentTopic(topic: Topic, group: Group, viewer: User): tl.RawForumTopic {
  const { id, title, date, by, isClosed } = topic;
  return make("forumTopic", {
    id,
    title,
    date,
    peer: presentPeer(group),
    fromId: presentPeer(by),
    my: by === viewer,
    closed: isClosed,
    topMessage: lettersIn(group, topic).at(-1)?.id ?? id,
  });
}
