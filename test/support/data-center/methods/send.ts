import type { Long, tl } from "@mtcute/core";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { post, presentMessage, updatesOf } from "#test/support/data-center/cloud/letters.ts";
import type { Letter, User } from "#test/support/data-center/cloud/model.ts";
import { resolveUser } from "#test/support/data-center/cloud/users.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import type { Methods } from "./call.ts";

const TEXT_LENGTH_MAX = 4096;

export function sendMethods(cloud: Cloud): Methods {
  return {
    "messages.sendMessage"({ peer, message, entities, randomId }, { me, session }) {
      const to = resolveUser(cloud.users, me, peer);
      if (message === "") throw new RpcFailure(400, "MESSAGE_EMPTY");
      if (message.length > TEXT_LENGTH_MAX) throw new RpcFailure(400, "MESSAGE_TOO_LONG");
      if (to.refuses !== undefined) throw new RpcFailure(403, to.refuses);
      takeRandomId(me, randomId);
      const letter = post(cloud, { from: me, to, text: message, randomId, ...(entities && { entities }) }, session);
      return sentUpdates(letter, randomId);
    },
    "messages.setTyping": () => true,
  };
}

/** @throws RpcFailure if this account has sent something under this id before */
function takeRandomId({ randomIds }: User, randomId: Long): void {
  const text = randomId.toString();
  if (randomIds.has(text)) throw new RpcFailure(500, "RANDOM_ID_DUPLICATE");
  randomIds.add(text);
}

/** Tells the sender which number the message has got. */
function sentUpdates(letter: Letter, randomId: Long): tl.RawUpdates {
  const { from, to } = letter;
  const id = letter.ids.get(from.box) ?? 0;
  const sent: tl.RawUpdateNewMessage = {
    _: "updateNewMessage",
    message: presentMessage(letter, from.box),
    pts: from.box.pts,
    ptsCount: 1,
  };
  return updatesOf([{ _: "updateMessageID", id, randomId }, sent], [from, to], from);
}
