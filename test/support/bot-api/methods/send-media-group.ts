import { type Contents, envelopeOf, post } from "#test/support/bot-api/envelope.ts";
import { badRequest, BotApiFailure } from "#test/support/bot-api/failure.ts";
import { mediaOf, presentMedia, sentMedia } from "#test/support/bot-api/media.ts";
import type { MediaKind } from "#test/support/bot-api/model.ts";
import { accessParams } from "#test/support/bot-api/params.ts";
import type { Call } from "./call.ts";
import { captionOf } from "./captions.ts";

const ITEMS_MAX = 10;
const KINDS = ["photo", "video", "document", "audio"] as const;

interface Item {
  kind: MediaKind;
  media: string;
  caption: ReturnType<typeof captionOf>;
}

/** https://core.telegram.org/bots/api#sendmediagroup */
export async function sendMediaGroup(call: Call) {
  const items = (call.params.list("media") ?? []).map(readItem);
  const envelope = envelopeOf(call);
  if (items.length === 0) throw badRequest("there are no messages to send");
  if (items.length > ITEMS_MAX) throw badRequest("too many messages to send as an album");
  for (const kind of ["document", "audio"] as const) {
    const count = items.filter((item) => item.kind === kind).length;
    if (count > 0 && count < items.length)
      throw badRequest(`${kind === "audio" ? kind : "documents"} can't be mixed with other media types`);
  }
  // A single item is an ordinary message.
  const media_group_id = items.length === 1 ? null : String(Date.now() * 1000 + call.emulation.sent.length);
  const contents: Contents[] = [];
  for (const [index, item] of items.entries()) contents.push(await contentsOf(call, item, index, media_group_id));
  return contents.map((content) => post(call, envelope, content));
}

/** https://core.telegram.org/bots/api#inputmedia */
function readItem(value: unknown): Item {
  const unparsable = (why: string) => badRequest(`can't parse InputMedia: ${why}`);
  if (typeof value !== "object" || value === null) throw unparsable("expected an Object");
  const { type, media } = value as Record<string, unknown>;
  if (type === "animation") throw unparsable('type "animation" can\'t be used in sendMediaGroup');
  const kind = KINDS.find((known) => known === type);
  if (kind === undefined) throw unparsable(`type "${String(type)}" is unsupported`);
  if (typeof media !== "string" || media === "") throw unparsable("media not found");
  try {
    return { kind, media, caption: captionOf(accessParams(value as Record<string, unknown>)) };
  } catch (error) {
    if (error instanceof BotApiFailure) throw unparsable(error.description.replace("Bad Request: ", ""));
    throw error;
  }
}

async function contentsOf(call: Call, { kind, media, caption }: Item, index: number, media_group_id: string | null): Promise<Contents> {
  try {
    const file = await mediaOf(call, kind, media);
    return {
      shown: { ...(media_group_id === null ? {} : { media_group_id }), ...presentMedia(file), ...caption.shown },
      came: { text: "", ...caption.came, media: sentMedia(file), media_group_id },
    };
  } catch (error) {
    if (!(error instanceof BotApiFailure) || error.error_code !== 400) throw error;
    const reason = error.description.replace("Bad Request: ", "");
    throw badRequest(`failed to send message #${index + 1} with the error message "${reason}"`);
  }
}
