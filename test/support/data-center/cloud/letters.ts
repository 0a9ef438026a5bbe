import type { Box, Telling } from "./box.ts";
import { unixTime, type Cloud } from "./cloud.ts";
import type { ClientSession, Letter, Peer } from "./model.ts";
import { boxesOf, channelUpdatesOf, updatesOf } from "./peers.ts";
import { presentMessage } from "./message.ts";
import { shortNews } from "./short.ts";

/** What someone writes. */
export type Draft = Pick<Letter, "from" | "to" | "text"> & Partial<Omit<Letter, "ids" | "reactions">>;

/**
 * Puts a letter into the boxes of all in the conversation and tells their clients.
 * @param except the session that sent it, which learns of it by the answer
 */
export function post(cloud: Cloud, draft: Draft, except?: ClientSession): Letter {
  const letter: Letter = { date: unixTime(), ...draft, reactions: new Map(), ids: new Map() };
  for (const { box } of boxesOf(letter)) box.put(letter);
  tellAll(cloud, letter, 1, () => newMessage(letter), { except, isNew: true });
  return letter;
}

/** @param except the session that asked, which learns of it by the answer */
export function edit(cloud: Cloud, letter: Letter, change: Pick<Draft, "text" | "entities" | "media">, except?: ClientSession): void {
  Object.assign(letter, change, { editDate: unixTime() });
  tellAll(cloud, letter, 1, () => editedMessage(letter), { except });
}

/** Tells everyone in a conversation what happened to one of its letters, or in it. */
function tellAll(
  cloud: Cloud,
  letter: Letter,
  ptsCount: number,
  tell: (box: Box) => Telling,
  { except, isNew = false }: { except?: ClientSession | undefined; isNew?: boolean } = {},
): void {
  for (const { box, viewers } of boxesOf(letter)) {
    if (!letter.ids.has(box)) continue;
    const event = box.happen(ptsCount, tell(box), isNew ? letter : undefined);
    for (const viewer of viewers) {
      const short = isNew ? shortNews(letter, viewer, event) : undefined;
      const present = letter.to.kind === "channel" ? channelUpdatesOf : updatesOf;
      cloud.push(viewer, short ?? present([event.update(viewer)], aboutOf(letter), viewer), except);
    }
  }
  cloud.changes.notify();
}

export function newMessage(letter: Letter): Telling {
  const _ = letter.to.kind === "channel" ? "updateNewChannelMessage" : "updateNewMessage";
  return (viewer, pts, ptsCount) => ({ _, message: presentMessage(letter, viewer), pts, ptsCount });
}

export function editedMessage(letter: Letter): Telling {
  const _ = letter.to.kind === "channel" ? "updateEditChannelMessage" : "updateEditMessage";
  return (viewer, pts, ptsCount) => ({ _, message: presentMessage(letter, viewer), pts, ptsCount });
}

export function aboutOf({ from, to }: Letter): Peer[] {
  const successor = to.kind === "chat" ? to.successor : undefined;
  return [from, to, ...(successor === undefined ? [] : [successor])];
}
