import type { tl } from "@mtcute/core";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { presentMessage } from "#test/support/data-center/cloud/message.ts";
import type { Group, Topic, User } from "#test/support/data-center/cloud/model.ts";
import { presentAbout, resolvePeer } from "#test/support/data-center/cloud/peers.ts";
import { lettersIn, openTopic, presentTopic } from "#test/support/data-center/cloud/topics.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import type { Methods } from "./call.ts";
import { requireWelcome, sentUpdates, takeRandomId } from "./draft.ts";

/** Topics of forums. See https://core.telegram.org/api/forum */
export function topicMethods(cloud: Cloud): Methods {
  const forumOf = (me: User, input: tl.TypeInputPeer): Group => {
    const peer = resolvePeer(cloud, me, input);
    if (peer.kind === "user" || !peer.isForum) throw new RpcFailure(400, "CHANNEL_FORUM_MISSING");
    return peer;
  };
  return {
    "messages.getForumTopics"({ peer, q = "", offsetTopic, limit }, { me }) {
      const forum = forumOf(me, peer);
      const all = [...forum.topics.values()].filter(({ title }) => title.toLowerCase().includes(q.toLowerCase())).toReversed();
      const page = all.filter(({ id }) => offsetTopic === 0 || id < offsetTopic).slice(0, limit);
      return presentTopics(page, all.length, forum, me);
    },
    "messages.getForumTopicsByID"({ peer, topics }, { me }) {
      const forum = forumOf(me, peer);
      const found = topics.flatMap((id) => forum.topics.get(id) ?? []);
      return presentTopics(found, found.length, forum, me);
    },
    "messages.createForumTopic"({ peer, title, randomId }, { me, session }) {
      const forum = forumOf(me, peer);
      requireWelcome(me, forum);
      if (title === "") throw new RpcFailure(400, "TOPIC_TITLE_EMPTY");
      takeRandomId(me, randomId);
      return sentUpdates([openTopic(cloud, forum, { by: me, title, randomId, session }).letter], me);
    },
  };
}

function presentTopics(topics: Topic[], count: number, forum: Group, me: User): tl.messages.RawForumTopics {
  const letters = topics.flatMap((topic) => lettersIn(forum, topic).at(-1)?.letter ?? []);
  return {
    _: "messages.forumTopics",
    count,
    topics: topics.map((topic) => presentTopic(topic, forum, me)),
    messages: letters.map((letter) => presentMessage(letter, me)),
    pts: forum.box.pts,
    ...presentAbout([forum, ...topics.map(({ by }) => by), ...letters.map(({ from }) => from)], me),
  };
}
