import type { tl } from "@mtcute/core";
import { stateOf } from "#test/support/data-center/cloud/state.ts";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { aboutOf } from "#test/support/data-center/cloud/letters.ts";
import { presentMessage } from "#test/support/data-center/cloud/message.ts";
import type { Letter, Peer, User } from "#test/support/data-center/cloud/model.ts";
import { conversationOf, presentAbout, presentPeer, resolvePeer } from "#test/support/data-center/cloud/peers.ts";
import { lettersOf, unreadCount } from "#test/support/data-center/cloud/reading.ts";
import { make } from "#test/support/data-center/tl/make.ts";
import type { Methods } from "./call.ts";

interface Dialog {
  peer: Peer;
  id: number;
  last: Letter;
}

export function dialogMethods(cloud: Cloud): Methods {
  return {
    "messages.getDialogs"({ offsetDate, offsetId, limit }, { me }) {
      const all = dialogsOf(cloud, me);
      const isAfter = ({ last, id }: Dialog) => last.date < offsetDate || (last.date === offsetDate && id < offsetId);
      const page = all.filter((dialog) => offsetDate === 0 || isAfter(dialog)).slice(0, limit);
      return { _: "messages.dialogsSlice", count: all.length, ...presentDialogs(page, me) };
    },
    "messages.getPeerDialogs"({ peers }, { me }) {
      const wanted = new Set(peers.flatMap((peer) => (peer._ === "inputDialogPeer" ? resolvePeer(cloud, me, peer.peer) : [])));
      const dialogs = dialogsOf(cloud, me).filter(({ peer }) => wanted.has(peer));
      return { _: "messages.peerDialogs", ...presentDialogs(dialogs, me), state: stateOf(me) };
    },
    "messages.getPinnedDialogs": (_, { me }) => ({ _: "messages.peerDialogs", ...presentDialogs([], me), state: stateOf(me) }),
  };
}

/** The conversations that someone has, the one with the newest message first. */
function dialogsOf({ groups }: Cloud, me: User): Dialog[] {
  const partners = [...me.box.letters.values()].map((letter) => conversationOf(letter, me));
  const channels = groups.all().filter(({ kind, members }) => kind === "channel" && members.has(me));
  return [...new Set([...partners, ...channels])]
    .flatMap((peer) => {
      const last = lettersOf(peer, me).at(-1);
      return last === undefined ? [] : [{ peer, id: last.id, last: last.letter }];
    })
    .toSorted((a, b) => b.last.date - a.last.date || b.id - a.id);
}

function presentDialogs(dialogs: Dialog[], me: User) {
  return {
    dialogs: dialogs.map((dialog) => presentDialog(dialog, me)),
    messages: dialogs.map(({ last }) => presentMessage(last, me)),
    ...presentAbout(
      dialogs.flatMap(({ peer, last }) => [peer, ...aboutOf(last)]),
      me,
    ),
  };
}

function presentDialog({ peer, id }: Dialog, me: User): tl.RawDialog {
  const { inbox, outbox } = me.box.readMarks(peer);
  return make("dialog", {
    peer: presentPeer(peer),
    topMessage: id,
    readInboxMaxId: inbox,
    readOutboxMaxId: outbox,
    unreadCount: unreadCount(peer, me),
    pts: peer.kind === "channel" ? peer.box.pts : undefined,
  });
}
