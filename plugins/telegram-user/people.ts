import { getMarkedPeerId, type tl } from "@mtcute/core";
import type { InboundChat } from "#src/modules/connections/model.ts";
import type { ChatFacts } from "#src/modules/messages/channel.ts";
import type { Person } from "#src/modules/messages/model.ts";

/** As Telegram describes whom one can write to. */
export type Described = tl.TypeUser | tl.TypeChat;

/** The first of those that are in use: https://core.telegram.org/api/usernames */
function usernameOf({ username, usernames }: { username?: string; usernames?: tl.TypeUsername[] }): string | null {
  return username ?? usernames?.find((name) => name.active)?.username ?? null;
}

export function personOf(user: Described | undefined): Person | null {
  if (user?._ !== "user") return null;
  return { telegram_id: user.id, username: usernameOf(user), first_name: user.firstName ?? null, last_name: user.lastName ?? null };
}

/** @param described null where only the id is known */
export function chatOf(peer: tl.TypePeer, described: Described | null): InboundChat {
  const id = String(getMarkedPeerId(peer));
  const nameless = { id, title: null, username: null, first_name: null, last_name: null };
  if (peer._ === "peerUser") {
    const { username = null, first_name = null, last_name = null } = personOf(described ?? undefined) ?? {};
    return { ...nameless, type: "private", username, first_name, last_name };
  }
  const title = titleOf(described);
  if (peer._ === "peerChat") return { ...nameless, type: "group", title };
  const channel = described?._ === "channel" ? described : null;
  const type = channel !== null && !isSupergroup(channel) ? "channel" : "supergroup";
  return { ...nameless, type, title, username: channel && usernameOf(channel) };
}

const isSupergroup = ({ megagroup, gigagroup }: tl.RawChannel) => megagroup === true || gigagroup === true;

const titleOf = (described: Described | null) => (described !== null && "title" in described ? described.title : null);

export function factsOf(peer: tl.TypePeer, described: Described | null): ChatFacts {
  const { id, type, title, username, first_name, last_name } = chatOf(peer, described);
  return { chat_id: id, type, title, username, first_name, last_name };
}
