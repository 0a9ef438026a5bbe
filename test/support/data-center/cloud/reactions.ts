import type { tl } from "@mtcute/core";
import { make } from "#test/support/data-center/tl/make.ts";
import type { Letter, User } from "./model.ts";
import { presentPeer } from "./peers.ts";

/** Who reacted to a letter with what, as someone sees it. */
export function presentReactions({ reactions, date }: Letter, viewer: User): tl.RawMessageReactions | undefined {
  const chosen = [...reactions].flatMap(([user, list]) => list.map((reaction) => ({ user, reaction })));
  if (chosen.length === 0) return undefined;
  const counts = Map.groupBy(chosen, ({ reaction }) => JSON.stringify(reaction));
  return make("messageReactions", {
    canSeeList: true,
    results: [...counts.values()].map((same) =>
      make("reactionCount", {
        reaction: same[0]?.reaction,
        count: same.length,
        chosenOrder: same.some(({ user }) => user === viewer) ? 0 : undefined,
      }),
    ),
    recentReactions: chosen.map(({ user, reaction }) =>
      make("messagePeerReaction", { peerId: presentPeer(user), date, reaction, my: user === viewer }),
    ),
  });
}
