import { envelopeOf, post } from "#test/support/bot-api/envelope.ts";
import { mediaOf, presentMedia, sentMedia } from "#test/support/bot-api/media.ts";
import type { MediaKind } from "#test/support/bot-api/model.ts";
import type { Call, Method } from "./call.ts";
import { captionOf } from "./captions.ts";

/** https://core.telegram.org/bots/api#sendphoto */
export const sendPhoto = sender("photo");
/** https://core.telegram.org/bots/api#senddocument */
export const sendDocument = sender("document");
/** https://core.telegram.org/bots/api#sendvideo */
export const sendVideo = sender("video");
/** https://core.telegram.org/bots/api#sendanimation */
export const sendAnimation = sender("animation");
/** https://core.telegram.org/bots/api#sendvoice */
export const sendVoice = sender("voice");
/** https://core.telegram.org/bots/api#sendaudio */
export const sendAudio = sender("audio");
/** https://core.telegram.org/bots/api#sendsticker */
export const sendSticker = sender("sticker");

/** The methods that send one file differ in its kind alone, and in that a sticker has no caption. */
function sender(kind: MediaKind): Method {
  return async (call: Call) => {
    const caption = captionOf(call.params);
    const envelope = envelopeOf(call);
    const file = await mediaOf(call, kind, call.params.text(kind), call.params.file(kind));
    return post(call, envelope, {
      shown: { ...presentMedia(file), ...caption.shown },
      came: { text: "", ...caption.came, media: sentMedia(file), media_group_id: null },
    });
  };
}
