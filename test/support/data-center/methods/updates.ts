import type { BoxEvent } from "#test/support/data-center/cloud/box.ts";
import { unixTime, type Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { aboutOf } from "#test/support/data-center/cloud/letters.ts";
import { presentMessage } from "#test/support/data-center/cloud/message.ts";
import type { Group, User } from "#test/support/data-center/cloud/model.ts";
import { presentAbout, resolveChannel } from "#test/support/data-center/cloud/peers.ts";
import { stateOf } from "#test/support/data-center/cloud/state.ts";
import { make } from "#test/support/data-center/tl/make.ts";
import type { Methods } from "./call.ts";

const LATEST_MAX = 10;

/** What a client has missed. See https://core.telegram.org/api/updates */
export function updatesMethods({ users, groups, differenceMax }: Cloud): Methods {
  return {
    "updates.getState": (_, { me }) => stateOf(me),
    "updates.getDifference"({ pts, date }, { me }) {
      const missed = me.box.after(pts);
      const chats = groups.all().filter(({ members }) => members.has(me));
      const busy = chats.filter(({ kind, box }) => kind === "channel" && box.changedAt >= date);
      if (missed.length === 0 && busy.length === 0) return { _: "updates.differenceEmpty", date: unixTime(), seq: 0 };
      if (missed.length > differenceMax.total) return { _: "updates.differenceTooLong", pts: me.box.pts };
      const events = missed.slice(0, differenceMax.slice);
      const { newMessages, otherUpdates } = contentOf(events, me);
      // Of supergroups a client is told only that there is something to ask for.
      otherUpdates.push(...busy.map(({ id, box }) => make("updateChannelTooLong", { channelId: id, pts: box.pts })));
      const content = { newMessages, otherUpdates, newEncryptedMessages: [], ...presentAbout([...users.all(), ...chats], me) };
      if (events.length === missed.length) return { _: "updates.difference", ...content, state: stateOf(me) };
      return { _: "updates.differenceSlice", ...content, intermediateState: stateOf(me, events.at(-1)?.pts) };
    },
    "updates.getChannelDifference"({ channel, pts, limit }, { me }) {
      const group = resolveChannel(groups, me, channel);
      const missed = group.box.after(pts);
      if (missed.length === 0) return { _: "updates.channelDifferenceEmpty", final: true, pts: group.box.pts };
      const isTooMuch = missed.length > differenceMax.total || group.box.pts - pts > limit;
      if (isTooMuch) return make("updates.channelDifferenceTooLong", tooLong(group, me));
      const events = missed.slice(0, Math.min(limit, differenceMax.slice));
      const about = [group, ...events.flatMap(({ letter }) => (letter ? aboutOf(letter) : []))];
      return {
        _: "updates.channelDifference",
        final: events.length === missed.length,
        pts: events.at(-1)?.pts ?? group.box.pts,
        ...contentOf(events, me),
        ...presentAbout(about, me),
      };
    },
  };
}

/** Whoever has missed more of a supergroup than they ask for gets the newest messages alone. */
function tooLong(group: Group, me: User) {
  const latest = [...group.box.letters].slice(-LATEST_MAX).toReversed();
  return {
    final: true,
    dialog: make("dialog", { peer: { _: "peerChannel", channelId: group.id }, pts: group.box.pts, topMessage: latest[0]?.[0] ?? 0 }),
    messages: latest.map(([, letter]) => presentMessage(letter, me)),
    ...presentAbout([group, ...latest.flatMap(([, letter]) => aboutOf(letter))], me),
  } as const;
}

function contentOf(events: BoxEvent[], me: User) {
  const letters = events.flatMap(({ letter }) => (letter !== undefined && letter.ids.size > 0 ? letter : []));
  return {
    newMessages: letters.map((letter) => presentMessage(letter, me)),
    otherUpdates: events.filter(({ letter }) => letter === undefined).map((event) => event.update(me)),
  };
}
