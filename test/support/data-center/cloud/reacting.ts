import type { tl } from "@mtcute/core";
import { make } from "#test/support/data-center/tl/make.ts";
import type { Cloud } from "./cloud.ts";
import { aboutOf } from "./letters.ts";
import type { ClientSession, Letter, User } from "./model.ts";
import { boxesOf, boxFor, conversationOf, presentPeer, updatesOf } from "./peers.ts";
import { presentReactions } from "./reactions.ts";

/** Someone reacts to a letter, with nothing to take it back. Telegram tells of it but does not count it as an event. */
export function react(cloud: Cloud, letter: Letter, by: User, reactions: tl.TypeReaction[], except?: ClientSession): void {
  if (reactions.length === 0) letter.reactions.delete(by);
  else letter.reactions.set(by, reactions);
  for (const { viewers } of boxesOf(letter)) {
    for (const viewer of viewers)
      cloud.push(viewer, updatesOf([reactionsUpdate(letter, viewer)], [by, ...aboutOf(letter)], viewer), except);
  }
  cloud.changes.notify();
}

export function reactionsUpdate(letter: Letter, viewer: User): tl.RawUpdateMessageReactions {
  return make("updateMessageReactions", {
    peer: presentPeer(conversationOf(letter, viewer)),
    msgId: letter.ids.get(boxFor(letter.to, viewer)),
    topMsgId: letter.topicId,
    reactions: presentReactions(letter, viewer) ?? make("messageReactions"),
  });
}
