import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { resolveChannel, resolvePeer } from "#test/support/data-center/cloud/peers.ts";
import { read } from "#test/support/data-center/cloud/reading.ts";
import type { Methods } from "./call.ts";

export function readingMethods(cloud: Cloud): Methods {
  return {
    "messages.readHistory"({ peer, maxId }, { me, session }) {
      const before = me.box.pts;
      read(cloud, me, resolvePeer(cloud, me, peer), maxId, session);
      return { _: "messages.affectedMessages", pts: me.box.pts, ptsCount: me.box.pts - before };
    },
    "channels.readHistory"({ channel, maxId }, { me, session }) {
      read(cloud, me, resolveChannel(cloud.groups, me, channel), maxId, session);
      return true;
    },
    "messages.readMentions": (_, { me }) => ({ _: "messages.affectedHistory", pts: me.box.pts, ptsCount: 0, offset: 0 }),
  };
}
