import type { tl } from "@mtcute/core";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { Group, User } from "#test/support/data-center/cloud/model.ts";
import { presentAbout, resolveChannel, resolvePeer, updatesOf } from "#test/support/data-center/cloud/peers.ts";
import { unreadCount } from "#test/support/data-center/cloud/reading.ts";
import { make } from "#test/support/data-center/tl/make.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import type { Methods } from "./call.ts";

export function groupMethods(cloud: Cloud): Methods {
  const { groups } = cloud;
  const leave = (group: Group, me: User) => {
    if (!group.members.delete(me)) throw new RpcFailure(400, "USER_NOT_PARTICIPANT");
    return updatesOf([], [group], me);
  };
  return {
    "channels.getChannels"({ id }, { me }) {
      const found = id.map((channel) => resolveChannel(groups, me, channel));
      return { _: "messages.chats", chats: presentAbout(found, me).chats };
    },
    "messages.getChats"({ id }, { me }) {
      const found = id.flatMap((id) => groups.find("chat", id) ?? []);
      return { _: "messages.chats", chats: presentAbout(found, me).chats };
    },
    "channels.getFullChannel"({ channel }, { me }) {
      const group = resolveChannel(groups, me, channel);
      return { _: "messages.chatFull", fullChat: fullChannel(group, me), ...presentAbout([group], me) };
    },
    "messages.getFullChat"({ chatId }, { me }) {
      const group = groups.find("chat", chatId);
      if (group === undefined) throw new RpcFailure(400, "CHAT_ID_INVALID");
      return { _: "messages.chatFull", fullChat: fullChat(group), ...presentAbout([group, ...group.members], me) };
    },
    "channels.getParticipants"({ channel, offset, limit }, { me }) {
      const group = resolveChannel(groups, me, channel);
      const members = [...group.members].slice(offset, offset + limit);
      const participants = members.map((member) => participantOf(member));
      return { _: "channels.channelParticipants", count: group.members.size, participants, ...presentAbout([group, ...members], me) };
    },
    "channels.getParticipant"({ channel, participant }, { me }) {
      const group = resolveChannel(groups, me, channel);
      const member = resolvePeer(cloud, me, participant);
      if (member.kind !== "user" || !group.members.has(member)) throw new RpcFailure(400, "USER_NOT_PARTICIPANT");
      return { _: "channels.channelParticipant", participant: participantOf(member), ...presentAbout([group, member], me) };
    },
    "channels.joinChannel"({ channel }, { me }) {
      const group = resolveChannel(groups, me, channel);
      group.members.add(me);
      return { _: "messages.chatInviteJoinResultOk", updates: updatesOf([], [group], me) };
    },
    "channels.leaveChannel": ({ channel }, { me }) => leave(resolveChannel(groups, me, channel), me),
    "messages.deleteChatUser"({ chatId }, { me }) {
      const group = groups.find("chat", chatId);
      if (group === undefined) throw new RpcFailure(400, "CHAT_ID_INVALID");
      return leave(group, me);
    },
  };
}

function fullChannel(group: Group, me: User): tl.RawChannelFull {
  const { inbox, outbox } = me.box.readMarks(group);
  return make("channelFull", {
    id: group.id,
    participantsCount: group.members.size,
    readInboxMaxId: inbox,
    readOutboxMaxId: outbox,
    unreadCount: unreadCount(group, me),
    pts: group.box.pts,
  });
}

function fullChat(group: Group): tl.RawChatFull {
  const participants = [...group.members].map((member) => make("chatParticipant", { userId: member.id }));
  return make("chatFull", { id: group.id, participants: make("chatParticipants", { chatId: group.id, participants }) });
}

function participantOf({ id: userId }: User): tl.RawChannelParticipant {
  return make("channelParticipant", { userId });
}
