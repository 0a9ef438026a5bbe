import type { tl } from "@mtcute/core";
import type { Letter, Peer, User } from "./model.ts";

/** Something that happened in a box. Its number, pts, counts on from the one before. */
export interface BoxEvent {
  pts: number;
  /** A message that arrived or was sent; anything else is in `update` alone. */
  letter?: Letter;
  update(viewer: User): tl.TypeUpdate;
}

/** How an event is told to someone. */
export type Telling = (viewer: User, pts: number, ptsCount: number) => tl.TypeUpdate;

/** How far a conversation was read: what came in by the owner of the box, what went out by the others. */
interface ReadMarks {
  inbox: number;
  outbox: number;
}

/** The messages that one user has, or one supergroup, and what happened to them. */
export interface Box {
  pts: number;
  /** When something happened last; Unix time, seconds. */
  changedAt: number;
  letters: Map<number, Letter>;
  readMarks(peer: Peer): ReadMarks;
  /** Puts a copy of the letter in and numbers it. */
  put(letter: Letter): number;
  remove(letter: Letter): void;
  happen(ptsCount: number, tell: Telling, letter?: Letter): BoxEvent;
  after(pts: number): BoxEvent[];
}

export function createBox(): Box {
  const events: BoxEvent[] = [];
  const letters = new Map<number, Letter>();
  const marks = new Map<Peer, ReadMarks>();
  let lastId = 0;
  const box: Box = {
    pts: 1,
    changedAt: 0,
    letters,
    readMarks(peer) {
      const known = marks.get(peer) ?? { inbox: 0, outbox: 0 };
      marks.set(peer, known);
      return known;
    },
    put(letter) {
      const id = ++lastId;
      letters.set(id, letter);
      letter.ids.set(box, id);
      return id;
    },
    remove(letter) {
      letters.delete(letter.ids.get(box) ?? 0);
      letter.ids.delete(box);
    },
    happen(ptsCount, tell, letter) {
      box.pts += ptsCount;
      box.changedAt = Math.floor(Date.now() / 1000);
      const { pts } = box;
      const event: BoxEvent = { pts, update: (viewer) => tell(viewer, pts, ptsCount), ...(letter && { letter }) };
      events.push(event);
      return event;
    },
    after: (pts) => events.filter((event) => event.pts > pts),
  };
  return box;
}
