import type { tl } from "@mtcute/core";
import { make } from "#test/support/data-center/tl/make.ts";
import type { Box, BoxEvent } from "./box.ts";
import { unixTime, type Cloud } from "./cloud.ts";
import type { ClientSession, Letter, User } from "./model.ts";
import { presentUser } from "./users.ts";

/** What someone writes. */
export type Draft = Pick<Letter, "from" | "to" | "text"> & Partial<Pick<Letter, "entities" | "randomId" | "date">>;

/**
 * Puts a letter into the boxes of both and tells their clients.
 * @param except the session that sent it, which learns of it by the answer
 */
export function post(cloud: Cloud, draft: Draft, except?: ClientSession): Letter {
  const letter: Letter = { date: unixTime(), ...draft, ids: new Map() };
  for (const owner of new Set([letter.from, letter.to])) {
    const event = receive(owner.box, letter);
    cloud.push(owner, updatesOf([event.update()], [letter.from, letter.to], owner), except);
  }
  cloud.changes.notify();
  return letter;
}

function receive(box: Box, letter: Letter): BoxEvent {
  box.put(letter);
  const update = (pts: number, ptsCount: number): tl.RawUpdateNewMessage => ({
    _: "updateNewMessage",
    message: presentMessage(letter, box),
    pts,
    ptsCount,
  });
  return box.happen(1, update, letter);
}

/** The copy of a letter in a box. */
export function presentMessage(letter: Letter, box: Box): tl.RawMessage {
  const { from, to } = letter;
  const isOut = from.box === box;
  return make("message", {
    id: letter.ids.get(box),
    out: isOut,
    fromId: { _: "peerUser", userId: from.id },
    peerId: { _: "peerUser", userId: isOut ? to.id : from.id },
    date: letter.date,
    message: letter.text,
    entities: letter.entities,
  });
}

/** Updates with those of whom they speak. */
export function updatesOf(updates: tl.TypeUpdate[], about: User[], viewer: User): tl.RawUpdates {
  const users = [...new Set([...about, viewer])].map((user) => presentUser(user, viewer));
  return { _: "updates", updates, users, chats: [], date: unixTime(), seq: 0 };
}
