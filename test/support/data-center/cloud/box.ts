import type { tl } from "@mtcute/core";
import type { Letter } from "./model.ts";

/** Something that happened in a box. Its number, pts, counts on from the one before. */
export interface BoxEvent {
  pts: number;
  ptsCount: number;
  /** A message that arrived or was sent; anything else is in `update` alone. */
  letter?: Letter;
  update(): tl.TypeUpdate;
}

/** The messages that one user has, or one supergroup, and what happened to them. */
export interface Box {
  pts: number;
  letters: Map<number, Letter>;
  /** Puts a copy of the letter in and numbers it. */
  put(letter: Letter): number;
  /** Notes what happened; `update` is made when it is sent, with these numbers. */
  happen(ptsCount: number, update: (pts: number, ptsCount: number) => tl.TypeUpdate, letter?: Letter): BoxEvent;
  after(pts: number): BoxEvent[];
}

export function createBox(): Box {
  const events: BoxEvent[] = [];
  const letters = new Map<number, Letter>();
  let lastId = 0;
  const box: Box = {
    pts: 1,
    letters,
    put(letter) {
      const id = ++lastId;
      letters.set(id, letter);
      letter.ids.set(box, id);
      return id;
    },
    happen(ptsCount, update, letter) {
      box.pts += ptsCount;
      const { pts } = box;
      const event: BoxEvent = { pts, ptsCount, update: () => update(pts, ptsCount), ...(letter && { letter }) };
      events.push(event);
      return event;
    },
    after: (pts) => events.filter((event) => event.pts > pts),
  };
  return box;
}
