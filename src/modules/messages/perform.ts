import type { Clock } from "#src/core/clock.ts";
import type { Channel, ChannelAccount, ChatFacts, Refusal, SendResult } from "./channel.ts";
import type { ContactVariables } from "./contacts.ts";
import { CAPTION_MAX, type MessageStatus, TEXT_MAX } from "./model.ts";
import { enclosedIn, nothingEnclosed, openEnclosed, type OpenFiles } from "./opened.ts";
import type { Tried } from "./outcome.ts";
import type { PlacedThread } from "./recording.ts";
import type { MessageRow } from "./store.ts";
import { faultOfRich, faultOfText, needsProfile, resolveText } from "./text.ts";

/** What is known as a message leaves. */
export interface Ready {
  row: MessageRow;
  /** How long the account waits afterwards. */
  gap_ms: number;
  /** The state that it is in meanwhile: `sending`, or `queued` where nothing leaves the process and a crash undoes all of it. */
  from: MessageStatus;
  channel: Channel;
  account: ChannelAccount;
  chat_id: string | null;
  /** The one that it was written in. */
  thread: PlacedThread | null;
  /** What is known of the contact, where the text asks for something. */
  contact: ContactVariables;
  /** The channel's id of the message that is answered. */
  reply_to: string | null;
}

/** How it went. */
export interface Result extends Tried {
  chat: ChatFacts | null;
}

/** Makes what sends one message, once: resolves its text, opens its files, calls its channel. */
export function createPerformer({ clock, files }: { clock: Clock; files: OpenFiles }) {
  return async function perform(
    { row, channel, account, chat_id, thread, contact, reply_to }: Ready,
    signal: AbortSignal,
  ): Promise<Result> {
    const started_at = clock.now(account.env_id);
    let chat: ChatFacts | null = null;
    const done = (result: SendResult, text = row.text): Result => ({ result, text, started_at, ended_at: clock.now(account.env_id), chat });
    const content = row.content === null ? null : enclosedIn(row.content);
    const markup = content?.parse_mode ?? null;
    let profile = null;
    if (needsProfile(row.text, contact, markup)) {
      const answer = await channel.profile(account, { recipient: row.recipient, chat_id }, signal);
      // Asking for a name changes nothing: when its answer is lost, it is asked again.
      if (answer.kind !== "profile") return done(asRepeatable(answer));
      ({ profile, chat } = answer);
    }
    const resolved = resolveText(row.text, contact, profile, markup);
    if ("missing" in resolved)
      return done({
        kind: "failed",
        code: "variable_missing",
        message: `{${resolved.missing}} has neither a value nor a fallback.`,
        link: null,
      });
    const { text } = resolved;
    const isCaption = (content?.attachments?.length ?? 0) > 0;
    const fault = content === null ? faultOfText(text) : faultOfRich(text, markup, isCaption ? CAPTION_MAX : TEXT_MAX, isCaption);
    if (fault !== null) return done({ kind: "failed", code: "message_rejected", message: fault, link: null });
    const { id, recipient } = row;
    const opened = content === null ? null : await openEnclosed(files, account, content, signal);
    // Nothing has been sent yet.
    if (opened !== null && opened.kind !== "opened") return done(asRepeatable(opened));
    const enclosed = { topic_id: thread?.topic_id ?? null, ...(opened?.enclosed ?? nothingEnclosed) };
    const result = await channel.send(account, { id, recipient, chat_id, text, silent: row.silent === 1, reply_to, ...enclosed }, signal);
    if (result.kind === "sent") chat = result.chat ?? chat;
    return done(result, text);
  };
}

/** As for what changes nothing: it can be repeated whatever became of it. */
function asRepeatable(refusal: Refusal): Refusal {
  return refusal.kind === "unknown" ? { kind: "unreached", reason: refusal.reason } : refusal;
}
