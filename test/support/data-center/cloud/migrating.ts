import type { Cloud } from "./cloud.ts";
import { post } from "./letters.ts";
import type { Group, User } from "./model.ts";

/** A basic group becomes a supergroup: another chat with the same people. https://core.telegram.org/api/channel#migration */
export function migrate(cloud: Cloud, chat: Group, by: User): Group {
  const { title, members } = chat;
  const successor = cloud.groups.add({ kind: "channel", title, members: [...members] });
  chat.successor = successor;
  post(cloud, { from: by, to: chat, text: "", action: { _: "messageActionChatMigrateTo", channelId: successor.id } });
  post(cloud, { from: by, to: successor, text: "", action: { _: "messageActionChannelMigrateFrom", title, chatId: chat.id } });
  return successor;
}
