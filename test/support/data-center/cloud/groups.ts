import type { tl } from "@mtcute/core";
import { make } from "#test/support/data-center/tl/make.ts";
import { createBox } from "./box.ts";
import type { Group, User } from "./model.ts";
import { accessHash } from "./users.ts";

interface NewGroup {
  title: string;
  kind: Group["kind"];
  username?: string;
  isForum?: boolean;
  members: User[];
}

export interface Groups {
  add(group: NewGroup): Group;
  all(): Group[];
  /** @throws Error if there is none */
  get(id: number): Group;
  find(kind: Group["kind"], id: number): Group | undefined;
  byUsername(username: string): Group | undefined;
}

const FIRST_CHAT_ID = 500_001;
const FIRST_CHANNEL_ID = 1_500_000_001;

export function createGroups(): Groups {
  const groups: Group[] = [];
  return {
    all: () => groups,
    add({ kind, title, username, isForum = false, members }) {
      const id = (kind === "chat" ? FIRST_CHAT_ID : FIRST_CHANNEL_ID) + groups.length;
      const group: Group = { kind, id, title, isForum, members: new Set(members), box: createBox(), topics: new Map() };
      if (username !== undefined) group.username = username;
      groups.push(group);
      return group;
    },
    get(id) {
      const group = groups.find((group) => group.id === id);
      if (group === undefined) throw new Error(`there is no group ${id}`);
      return group;
    },
    find: (kind, id) => groups.find((group) => group.kind === kind && group.id === id),
    byUsername: (username) => groups.find((group) => group.username?.toLowerCase() === username.toLowerCase()),
  };
}

export function presentGroup(group: Group, viewer: User): tl.TypeChat {
  const { id, title, members, isForum, username, successor } = group;
  const isMember = members.has(viewer);
  if (group.kind === "chat") {
    const migratedTo = successor && make("inputChannel", { channelId: successor.id, accessHash: accessHash(viewer, successor) });
    const hasEnded = successor !== undefined;
    return make("chat", { id, title, participantsCount: members.size, version: 1, left: !isMember, deactivated: hasEnded, migratedTo });
  }
  return make("channel", {
    id,
    title,
    username,
    accessHash: accessHash(viewer, group),
    megagroup: true,
    forum: isForum,
    left: !isMember,
    participantsCount: members.size,
  });
}
