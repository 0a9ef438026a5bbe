import type { tl } from "@mtcute/core";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { aboutOf } from "#test/support/data-center/cloud/letters.ts";
import { presentMessage } from "#test/support/data-center/cloud/message.ts";
import type { Letter, Peer, User } from "#test/support/data-center/cloud/model.ts";
import { presentAbout, resolveChannel, resolvePeer } from "#test/support/data-center/cloud/peers.ts";
import { lettersOf } from "#test/support/data-center/cloud/reading.ts";
import type { Methods } from "./call.ts";

type Page = Pick<tl.messages.RawGetHistoryRequest, "offsetId" | "addOffset" | "limit" | "maxId" | "minId">;
type Numbered = { id: number; letter: Letter };

export function historyMethods(cloud: Cloud): Methods {
  return {
    "messages.getHistory"({ peer, offsetDate, ...page }, { me }) {
      const conversation = resolvePeer(cloud, me, peer);
      const found = lettersOf(conversation, me).filter(({ letter }) => offsetDate === 0 || letter.date < offsetDate);
      return pageOf(found, page, conversation, me);
    },
    "messages.search"({ peer, q, fromId, topMsgId, minDate, maxDate, ...page }, { me }) {
      const conversation = resolvePeer(cloud, me, peer);
      const from = fromId && resolvePeer(cloud, me, fromId);
      const isFound = ({ text, date, topicId, ...letter }: Letter) =>
        text.toLowerCase().includes(q.toLowerCase()) &&
        (from === undefined || letter.from === from) &&
        (topMsgId === undefined || topicId === topMsgId) &&
        (minDate === 0 || date >= minDate) &&
        (maxDate === 0 || date <= maxDate);
      return pageOf(
        lettersOf(conversation, me).filter(({ letter }) => isFound(letter)),
        page,
        conversation,
        me,
      );
    },
    "messages.getMessages": ({ id }, { me }) => listOf(me.box.letters, id, me),
    "channels.getMessages"({ channel, id }, { me }) {
      const group = resolveChannel(cloud.groups, me, channel);
      const { messages, users, chats } = listOf(group.box.letters, id, me);
      return { _: "messages.channelMessages", pts: group.box.pts, count: messages.length, messages, topics: [], users, chats };
    },
  };
}

/** From the newest to the oldest, beginning before `offsetId`. */
function pageOf(found: Numbered[], page: Page, conversation: Peer, me: User): tl.messages.TypeMessages {
  const { offsetId, addOffset, limit, maxId, minId } = page;
  const within = found.filter(({ id }) => (maxId === 0 || id < maxId) && id > minId).toReversed();
  const start = offsetId === 0 ? 0 : within.findIndex(({ id }) => id < offsetId);
  const from = Math.max(0, (start < 0 ? within.length : start) + addOffset);
  const letters = within.slice(from, from + limit).map(({ letter }) => letter);
  const content = {
    count: found.length,
    messages: letters.map((letter) => presentMessage(letter, me)),
    topics: [],
    ...presentAbout([conversation, ...letters.flatMap(aboutOf)], me),
  };
  if (conversation.kind === "channel") return { _: "messages.channelMessages", pts: conversation.box.pts, ...content };
  return { _: "messages.messagesSlice", ...content };
}

function listOf(letters: Map<number, Letter>, wanted: tl.TypeInputMessage[], me: User): tl.messages.RawMessages {
  const ids = wanted.flatMap((input) => ("id" in input && typeof input.id === "number" ? input.id : []));
  return {
    _: "messages.messages",
    messages: ids.map((id) => {
      const letter = letters.get(id);
      return letter === undefined ? { _: "messageEmpty", id } : presentMessage(letter, me);
    }),
    topics: [],
    ...presentAbout(ids.flatMap((id) => letters.get(id) ?? []).flatMap(aboutOf), me),
  };
}
