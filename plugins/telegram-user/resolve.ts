import { getMarkedPeerId, Long, parseMarkedPeerId, type IPeersRepository, type tl } from "@mtcute/core";
import { longFromFastString, toggleChannelIdMark } from "@mtcute/core/utils.js";
import type { ChatFacts, Destination, Refusal } from "#src/modules/messages/channel.ts";
import { faultOf } from "./errors.ts";
import { describedIn } from "./known.ts";
import type { Live } from "./live.ts";
import { type Described, factsOf } from "./people.ts";
import { failed } from "./refusal.ts";

/** Whom or where a message goes to. */
export interface Target {
  input: tl.TypeInputPeer;
  marked_id: number;
  chat: ChatFacts;
}

export type Resolved = { kind: "target"; target: Target } | Refusal;

/** A name can pass to somebody else: what it stands for is asked again after a day. */
const NAME_MS_MAX = 86_400_000;

/**
 * Finds whom a recipient means to this account: by id only whom it has met, since access hashes are each account's own.
 * @throws what Telegram answers, or `Unanswered`
 */
export async function resolve(live: Live, to: Destination, now: number, signal: AbortSignal): Promise<Resolved> {
  const asked = to.chat_id ?? to.recipient;
  if (asked.startsWith("@")) return byUsername(live, asked.slice(1), now, signal);
  if (asked.startsWith("+")) return byPhone(live, asked.slice(1), signal);
  return byId(live, Number(asked));
}

async function byId(live: Live, marked: number): Promise<Resolved> {
  const [kind, id] = parse(marked);
  if (kind === null) return failed("recipient_not_found", `Nobody at Telegram has the id ${marked}.`);
  const self = live.client.storage.self.getCached(true);
  if (marked === self?.userId) return found(marked, { _: "inputPeerSelf" }, null);
  const known = await live.peers.getById(marked);
  if (known !== null) return found(marked, inputOf(known), describedIn(known.complete));
  // Small groups have no access hash.
  if (kind === "chat") return found(marked, { _: "inputPeerChat", chatId: id }, null);
  const inPassing = await metInPassing(live, marked);
  return (
    inPassing ?? failed("recipient_not_found", `This account has not met ${marked} yet. Write to the @username or the +phone number first.`)
  );
}

/** Not every number is an id: https://core.telegram.org/api/bots/ids */
function parse(marked: number): ReturnType<typeof parseMarkedPeerId> | [null, number] {
  try {
    return parseMarkedPeerId(marked);
  } catch {
    return [null, marked];
  }
}

/**
 * A small group that became a supergroup is written to there. Its earlier messages keep their numbers, and so stay where they are.
 * https://core.telegram.org/api/channel#migration
 */
export async function followed({ peers }: Live, resolved: Resolved): Promise<Resolved> {
  if (resolved.kind !== "target" || resolved.target.input._ !== "inputPeerChat") return resolved;
  const known = await peers.getById(resolved.target.marked_id);
  const described = known === null ? null : describedIn(known.complete);
  const successor = described?._ === "chat" ? described.migratedTo : undefined;
  if (successor?._ !== "inputChannel") return resolved;
  const marked = toggleChannelIdMark(successor.channelId);
  const met = await peers.getById(marked);
  return found(marked, { ...successor, _: "inputPeerChannel" }, met === null ? null : describedIn(met.complete));
}

async function metInPassing({ peers, storage }: Live, marked: number): Promise<Resolved | null> {
  const met = await storage.refMessages.getByPeer(marked);
  const chat = met === null ? null : await peers.getById(met[0]);
  if (met === null || chat === null || marked < 0) return null;
  return found(marked, { _: "inputPeerUserFromMessage", peer: inputOf(chat), msgId: met[1], userId: marked }, null);
}

async function byUsername(live: Live, username: string, now: number, signal: AbortSignal): Promise<Resolved> {
  const known = await live.peers.getByUsername(username);
  if (known !== null && now - known.updated < NAME_MS_MAX) return found(known.id, inputOf(known), describedIn(known.complete));
  const answer = await live.call({ _: "contacts.resolveUsername", username }, signal);
  return pick(answer) ?? failed("recipient_not_found", `Nobody is called @${username}.`);
}

async function byPhone(live: Live, phone: string, signal: AbortSignal): Promise<Resolved> {
  const known = await live.peers.getByPhone(phone);
  if (known !== null) return found(known.id, inputOf(known), describedIn(known.complete));
  const nobody = failed(
    "recipient_not_found",
    `Nobody is found by +${phone}: it has no Telegram account, or does not let itself be found by the number.`,
  );
  try {
    return pick(await live.call({ _: "contacts.resolvePhone", phone }, signal)) ?? nobody;
  } catch (error) {
    if (faultOf(error)?.name !== "PHONE_NOT_OCCUPIED") throw error;
  }
  const contact = { _: "inputPhoneContact", clientId: Long.ZERO, phone: `+${phone}`, firstName: `+${phone}`, lastName: "" } as const;
  const { users } = await live.call({ _: "contacts.importContacts", contacts: [contact] }, signal);
  const user = users.find((one) => one._ === "user");
  return user === undefined ? nobody : (pick({ peer: { _: "peerUser", userId: user.id }, users, chats: [] }) ?? nobody);
}

/** What Telegram names, out of what it tells along with it. */
function pick({ peer, users, chats }: { peer: tl.TypePeer; users: tl.TypeUser[]; chats: tl.TypeChat[] }): Resolved | null {
  const marked = getMarkedPeerId(peer);
  if (peer._ === "peerUser") {
    const user = users.find((one) => one._ === "user" && one.id === peer.userId);
    if (user?._ !== "user") return null;
    return found(marked, { _: "inputPeerUser", userId: user.id, accessHash: user.accessHash ?? Long.ZERO }, user);
  }
  if (peer._ === "peerChat")
    return found(marked, { _: "inputPeerChat", chatId: peer.chatId }, chats.find(({ id }) => id === peer.chatId) ?? null);
  const channel = chats.find(({ id }) => id === peer.channelId);
  if (channel?._ !== "channel") return null;
  return found(marked, { _: "inputPeerChannel", channelId: channel.id, accessHash: channel.accessHash ?? Long.ZERO }, channel);
}

function found(marked: number, input: tl.TypeInputPeer, described: Described | null): Resolved {
  return { kind: "target", target: { input, marked_id: marked, chat: factsOf(peerOf(marked), described) } };
}

function peerOf(marked: number): tl.TypePeer {
  const [kind, id] = parseMarkedPeerId(marked);
  if (kind === "user") return { _: "peerUser", userId: id };
  return kind === "chat" ? { _: "peerChat", chatId: id } : { _: "peerChannel", channelId: id };
}

export function inputOf({ id: marked, accessHash }: IPeersRepository.PeerInfo): tl.TypeInputPeer {
  const [kind, id] = parseMarkedPeerId(marked);
  if (kind === "chat") return { _: "inputPeerChat", chatId: id };
  const hash = longFromFastString(accessHash);
  return kind === "user"
    ? { _: "inputPeerUser", userId: id, accessHash: hash }
    : { _: "inputPeerChannel", channelId: id, accessHash: hash };
}
