import type { tl } from "@mtcute/core";
import { unixTime, type Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { presentMessage } from "#test/support/data-center/cloud/letters.ts";
import type { User } from "#test/support/data-center/cloud/model.ts";
import { presentUser } from "#test/support/data-center/cloud/users.ts";
import type { Methods } from "./call.ts";

/** What a client has missed. See https://core.telegram.org/api/updates */
export function updatesMethods({ users, differenceMax }: Cloud): Methods {
  return {
    "updates.getState": (_, { me }) => stateOf(me),
    "updates.getDifference"({ pts }, { me }) {
      const missed = me.box.after(pts);
      if (missed.length === 0) return { _: "updates.differenceEmpty", date: unixTime(), seq: 0 };
      if (missed.length > differenceMax.total) return { _: "updates.differenceTooLong", pts: me.box.pts };
      const events = missed.slice(0, differenceMax.slice);
      const letters = events.flatMap(({ letter }) => letter ?? []).filter(({ ids }) => ids.has(me.box));
      const content = {
        newMessages: letters.map((letter) => presentMessage(letter, me.box)),
        newEncryptedMessages: [],
        otherUpdates: events.filter(({ letter }) => letter === undefined).map((event) => event.update()),
        chats: [],
        users: users.all().map((user) => presentUser(user, me)),
      };
      if (events.length === missed.length) return { _: "updates.difference", ...content, state: stateOf(me) };
      return { _: "updates.differenceSlice", ...content, intermediateState: stateOf(me, events.at(-1)?.pts) };
    },
  };
}

function stateOf({ box }: User, pts = box.pts): tl.updates.RawState {
  return { _: "updates.state", pts, qts: 0, date: unixTime(), seq: 0, unreadCount: 0 };
}
