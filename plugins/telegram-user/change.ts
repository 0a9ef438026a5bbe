import type { tl } from "@mtcute/core";
import { MarkupFault } from "#src/core/markup-fault.ts";
import type { DoneResult, Revision, SentMessage } from "#src/modules/messages/channel.ts";
import { faultOf } from "./errors.ts";
import { format } from "./formatted.ts";
import type { Live } from "./live.ts";
import { mentionIn } from "./mention.ts";
import { failed } from "./refusal.ts";
import { resolve, type Target } from "./resolve.ts";
import { takeInChange } from "./sent.ts";

const DONE: DoneResult = { kind: "done" };

/** Changes a message that was sent. @throws what Telegram answers */
export async function editMessage(
  live: Live,
  message: SentMessage,
  { text, parse_mode, buttons }: Revision,
  now: number,
  signal: AbortSignal,
): Promise<DoneResult> {
  if (buttons.length > 0) return failed("message_rejected", "User accounts can't send buttons.");
  const resolved = await resolve(live, message, now, signal);
  if (resolved.kind !== "target") return resolved;
  try {
    const formatted = await format(text, parse_mode, mentionIn(live));
    const request = { _: "messages.editMessage", peer: resolved.target.input, id: Number(message.remote_id), ...formatted } as const;
    live.client.handleClientUpdate(await live.call(request, signal), false);
    return DONE;
  } catch (error) {
    if (error instanceof MarkupFault) return failed("message_rejected", `${error.message}.`);
    if (faultOf(error)?.name === "MESSAGE_NOT_MODIFIED") return DONE;
    throw error;
  }
}

/** Takes a message away from both sides. @throws what Telegram answers */
export async function removeMessage(live: Live, message: SentMessage, now: number, signal: AbortSignal): Promise<DoneResult> {
  const resolved = await resolve(live, message, now, signal);
  if (resolved.kind !== "target") return resolved;
  const { target } = resolved;
  const { pts, ptsCount } = await live.call(removal(target, [message.remote_id, ...message.others].map(Number)), signal);
  takeInChange(live, { pts, ptsCount, channelId: target.input._ === "inputPeerChannel" ? target.input.channelId : 0 });
  return DONE;
}

function removal({ input }: Target, id: number[]): tl.messages.RawDeleteMessagesRequest | tl.channels.RawDeleteMessagesRequest {
  if (input._ !== "inputPeerChannel") return { _: "messages.deleteMessages", id, revoke: true };
  return { _: "channels.deleteMessages", channel: { ...input, _: "inputChannel" }, id };
}
