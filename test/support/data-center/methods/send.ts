import type { tl } from "@mtcute/core";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { presentMedia } from "#test/support/data-center/cloud/files.ts";
import { post } from "#test/support/data-center/cloud/letters.ts";
import { shortSent } from "#test/support/data-center/cloud/short.ts";
import { resolvePeer } from "#test/support/data-center/cloud/peers.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import { randomLong } from "#test/support/data-center/wire/hash.ts";
import type { Methods } from "./call.ts";
import { addressOf, requireText, sentUpdates, takeRandomId } from "./draft.ts";
import { receiveMedia } from "./media.ts";
import { tellTyping } from "./typing.ts";

const CAPTION_LENGTH_MAX = 1024;
const ALBUM_LENGTH_MAX = 10;

export function sendMethods(cloud: Cloud): Methods {
  return {
    "messages.sendMessage"(request, { me, session }) {
      const address = addressOf(cloud, me, request);
      // As at Telegram, which keeps no white space at the end.
      const text = request.message.trimEnd();
      requireText(text);
      takeRandomId(me, request.randomId);
      const letter = post(cloud, { ...address, text, ...marksOf(request) }, session);
      return shortSent(letter, me.box) ?? sentUpdates([letter], me);
    },
    "messages.sendMedia"(request, { me, session, dcId }) {
      const address = addressOf(cloud, me, request);
      requireCaption(request.message);
      const media = receiveMedia(cloud, me, dcId, request.media);
      takeRandomId(me, request.randomId);
      return sentUpdates([post(cloud, { ...address, text: request.message, media, ...marksOf(request) }, session)], me);
    },
    "messages.sendMultiMedia"(request, { me, session, dcId }) {
      const address = addressOf(cloud, me, request);
      const { multiMedia } = request;
      if (multiMedia.length === 0 || multiMedia.length > ALBUM_LENGTH_MAX) throw new RpcFailure(400, "MULTI_MEDIA_TOO_LONG");
      const albumId = randomLong();
      const drafts = multiMedia.map((single) => {
        requireCaption(single.message);
        const media = receiveMedia(cloud, me, dcId, single.media);
        return { ...address, text: single.message, media, albumId, ...marksOf(single) };
      });
      for (const { randomId } of multiMedia) takeRandomId(me, randomId);
      const letters = drafts.map((draft) => post(cloud, draft, session));
      return sentUpdates(letters, me);
    },
    "messages.uploadMedia": ({ media }, { me, dcId }) => presentMedia(receiveMedia(cloud, me, dcId, media)),
    "messages.setTyping"({ peer, action }, { me }) {
      tellTyping(cloud, me, resolvePeer(cloud, me, peer), action);
      return true;
    },
  };
}

function marksOf({ entities, randomId }: Pick<tl.RawInputSingleMedia, "entities" | "randomId">) {
  return { randomId, ...(entities && { entities }) };
}

function requireCaption(text: string): void {
  if (text.length > CAPTION_LENGTH_MAX) throw new RpcFailure(400, "MEDIA_CAPTION_TOO_LONG");
}
