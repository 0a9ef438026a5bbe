import { unixTime, type Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { post } from "#test/support/data-center/cloud/letters.ts";
import type { Group, Topic, User } from "#test/support/data-center/cloud/model.ts";
import { presentTopic, type GroupRef, type UserRef } from "#test/support/data-center/plain.ts";
import { peersOf } from "./peers.ts";

export interface PlainGroup {
  title: string;
  /** A basic group (`chat`), or a supergroup (`channel`). */
  kind: Group["kind"];
  username?: string;
  /** A supergroup with topics. */
  isForum?: boolean;
  members: UserRef[];
}

export interface GroupVerbs {
  addGroup(group: PlainGroup): GroupRef & { title: string };
  /** Someone opens a forum topic. */
  addTopic(group: GroupRef, by: UserRef, title: string): { id: number; title: string };
  closeTopic(group: GroupRef, topicId: number): void;
  addMember(group: GroupRef, user: UserRef): void;
  removeMember(group: GroupRef, user: UserRef): void;
}

export function groupVerbs(cloud: Cloud): GroupVerbs {
  const { userOf } = peersOf(cloud);
  const groupOf = ({ id }: GroupRef) => cloud.groups.get(id);
  return {
    addGroup({ members, ...group }) {
      const { id, title } = cloud.groups.add({ ...group, members: members.map(userOf) });
      return { id, title };
    },
    addTopic: (group, by, title) => presentTopic(openTopic(cloud, groupOf(group), userOf(by), title)),
    closeTopic(group, topicId) {
      const topic = groupOf(group).topics.get(topicId);
      if (topic === undefined) throw new Error(`there is no topic ${topicId}`);
      topic.isClosed = true;
    },
    addMember: (group, user) => void groupOf(group).members.add(userOf(user)),
    removeMember: (group, user) => void groupOf(group).members.delete(userOf(user)),
  };
}

/** A topic has the number of the message that says it was opened. */
function openTopic(cloud: Cloud, group: Group, by: User, title: string): Topic {
  const action = { _: "messageActionTopicCreate", title, iconColor: 0 } as const;
  const letter = post(cloud, { from: by, to: group, text: "", action });
  const topic: Topic = { id: letter.ids.get(group.box) ?? 0, title, date: unixTime(), by, isClosed: false };
  group.topics.set(topic.id, topic);
  return topic;
}
