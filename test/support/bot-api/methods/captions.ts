import { badRequest } from "#test/support/bot-api/failure.ts";
import { formattedOf } from "#test/support/bot-api/formatted.ts";
import type { Entity } from "#test/support/bot-api/model.ts";
import type { Params } from "#test/support/bot-api/params.ts";

const CAPTION_LENGTH_MAX = 1_024;

interface Caption {
  shown: { caption?: string; caption_entities?: Entity[] };
  came: { caption: string | null; parse_mode: string | null };
}

/** The caption of a message with media, and how it came. @throws BotApiFailure 400 when Telegram would not take it */
export function captionOf(params: Params): Caption {
  const { raw, parse_mode, text, entities } = formattedOf(params, { text: "caption", entities: "caption_entities" });
  if (text.length > CAPTION_LENGTH_MAX) throw badRequest("message caption is too long");
  return {
    shown: { ...(text === "" ? {} : { caption: text }), ...(entities.length === 0 ? {} : { caption_entities: entities }) },
    came: { caption: raw === "" ? null : raw, parse_mode },
  };
}
