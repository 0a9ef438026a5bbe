import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { Group } from "#test/support/data-center/cloud/model.ts";
import { migrate } from "#test/support/data-center/cloud/migrating.ts";
import { openTopic } from "#test/support/data-center/cloud/topics.ts";
import type { GroupRef, UserRef } from "#test/support/data-center/plain.ts";
import { peersOf } from "./peers.ts";

interface PlainGroup {
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
  /** Someone makes a supergroup of a basic group. */
  migrate(group: GroupRef, by: UserRef): GroupRef & { title: string };
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
    addTopic(group, by, title) {
      const { topic } = openTopic(cloud, groupOf(group), { by: userOf(by), title });
      return { id: topic.id, title };
    },
    closeTopic(group, topicId) {
      const topic = groupOf(group).topics.get(topicId);
      if (topic === undefined) throw new Error(`there is no topic ${topicId}`);
      topic.isClosed = true;
    },
    migrate(group, by) {
      const { id, title } = migrate(cloud, groupOf(group), userOf(by));
      return { id, title };
    },
    addMember: (group, user) => void groupOf(group).members.add(userOf(user)),
    removeMember: (group, user) => void groupOf(group).members.delete(userOf(user)),
  };
}
