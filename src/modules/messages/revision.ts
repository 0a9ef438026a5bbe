import type { Channel, ChannelAccount, Refusal, Revision } from "./channel.ts";
import type { ContactVariables } from "./contacts.ts";
import { keptContent, type Pending } from "./kept-content.ts";
import { CAPTION_MAX, TEXT_MAX } from "./model.ts";
import type { MessageRow } from "./store.ts";
import { faultOfRich, needsProfile, resolveText } from "./text.ts";

interface Edit {
  row: MessageRow;
  channel: Channel;
  account: ChannelAccount;
  chat_id: string | null;
  contact: ContactVariables;
  pending: Pending;
}

/** What a message is to become, its variables filled in. A text that stays has none any more. */
export async function resolveRevision(
  { row, channel, account, chat_id, contact, pending }: Edit,
  signal: AbortSignal,
): Promise<{ kind: "revision"; revision: Revision } | Refusal> {
  const { attachments = [], buttons: before = [] } = keptContent(row);
  const { parse_mode, buttons = before } = pending;
  const isCaption = attachments.length > 0;
  const revisionOf = (text: string) => ({ kind: "revision", revision: { text, parse_mode, buttons, isCaption } }) as const;
  if (pending.text === undefined) return revisionOf(row.text);

  let profile = null;
  if (needsProfile(pending.text, contact, parse_mode)) {
    const answer = await channel.profile(account, { recipient: row.recipient, chat_id }, signal);
    if (answer.kind !== "profile") return answer;
    ({ profile } = answer);
  }
  const resolved = resolveText(pending.text, contact, profile, parse_mode);
  const fault =
    "missing" in resolved
      ? `{${resolved.missing}} has neither a value nor a fallback.`
      : faultOfRich(resolved.text, parse_mode, isCaption ? CAPTION_MAX : TEXT_MAX, isCaption);
  if (fault !== null) return { kind: "failed", code: "message_rejected", message: fault, link: null };
  return revisionOf("text" in resolved ? resolved.text : "");
}
