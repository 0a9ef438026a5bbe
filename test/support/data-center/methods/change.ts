import type { tl } from "@mtcute/core";
import type { Box } from "#test/support/data-center/cloud/box.ts";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { deleteLetters } from "#test/support/data-center/cloud/deleting.ts";
import { aboutOf, edit, editedMessage } from "#test/support/data-center/cloud/letters.ts";
import type { Letter } from "#test/support/data-center/cloud/model.ts";
import { boxFor, resolveChannel, resolvePeer, updatesOf } from "#test/support/data-center/cloud/peers.ts";
import { react, reactionsUpdate } from "#test/support/data-center/cloud/reacting.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import type { Methods } from "./call.ts";
import { requireText } from "./draft.ts";
import { receiveMedia } from "./media.ts";

/** What is done to messages that there are. */
export function changeMethods(cloud: Cloud): Methods {
  return {
    "messages.editMessage"({ peer, id, message, entities, media }, { me, dcId, session }) {
      const letter = letterIn(boxFor(resolvePeer(cloud, me, peer), me), id);
      if (letter.from !== me) throw new RpcFailure(403, "MESSAGE_AUTHOR_REQUIRED");
      const text = message ?? letter.text;
      if (letter.media === undefined && media === undefined) requireText(text);
      const isSame = text === letter.text && media === undefined && JSON.stringify(entities) === JSON.stringify(letter.entities);
      if (isSame) throw new RpcFailure(400, "MESSAGE_NOT_MODIFIED");
      const newMedia = media && receiveMedia(cloud, me, dcId, media);
      edit(cloud, letter, { text, ...(entities && { entities }), ...(newMedia && { media: newMedia }) }, session);
      return updatesOf([editedMessage(letter)(me, boxFor(letter.to, me).pts, 1)], aboutOf(letter), me);
    },
    "messages.deleteMessages"({ id, revoke }, { me, session }) {
      return deleteFrom(cloud, me.box, id, { revoke: revoke === true, session });
    },
    "channels.deleteMessages"({ channel, id }, { me, session }) {
      return deleteFrom(cloud, resolveChannel(cloud.groups, me, channel).box, id, { revoke: true, session });
    },
    "messages.sendReaction"({ peer, msgId, reaction = [] }, { me, session }) {
      const letter = letterIn(boxFor(resolvePeer(cloud, me, peer), me), msgId);
      react(cloud, letter, me, reaction, session);
      return updatesOf([reactionsUpdate(letter, me)], aboutOf(letter), me);
    },
  };
}

/** @throws RpcFailure if there is none */
function letterIn({ letters }: Box, id: number): Letter {
  const letter = letters.get(id);
  if (letter === undefined) throw new RpcFailure(400, "MESSAGE_ID_INVALID");
  return letter;
}

function deleteFrom(cloud: Cloud, box: Box, ids: number[], options: Parameters<typeof deleteLetters>[3]): tl.messages.RawAffectedMessages {
  const letters = ids.flatMap((id) => box.letters.get(id) ?? []);
  deleteLetters(cloud, letters, box, options);
  return { _: "messages.affectedMessages", pts: box.pts, ptsCount: letters.length };
}
