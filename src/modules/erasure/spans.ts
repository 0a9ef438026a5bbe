import type { MessageRow, Span } from "./store.ts";

/** An event is written with the change or, where the database refused it, somewhat later. */
const BEFORE_MS = 1_000;
const AFTER_MS = 60_000;

/** When events of a message can have been written: it has one for each of its times, and in between when something was done to it. */
export function spansOf(message: MessageRow): Span[] {
  const { status, created_at, sent_at, delivered_at, read_at, updated_at } = message;
  const times = [created_at, sent_at, delivered_at, read_at].filter((at) => at !== null);
  const spans = [...times, updated_at].map((at) => ({ from: at - BEFORE_MS, to: at + AFTER_MS }));
  if (!arrived.has(status)) return spans;
  // It was changed, or somebody has reacted to it or pressed a button: of that only the last time is known.
  const since = mayHaveChanged(message) ? (status === "received" ? created_at : (sent_at ?? created_at)) : Math.max(...times);
  if (updated_at > since) spans.push({ from: since - BEFORE_MS, to: updated_at + AFTER_MS });
  return spans;
}

/** Also before it was read. */
const mayHaveChanged = ({ status, edited_at, deleted_at, content }: MessageRow) =>
  status === "received" || edited_at !== null || deleted_at !== null || content !== null;

const arrived: ReadonlySet<string> = new Set(["received", "sent", "delivered", "read"]);

/** The same time in as few spans as possible, in order. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last === undefined || span.from > last.to) merged.push({ ...span });
    else last.to = Math.max(last.to, span.to);
  }
  return merged;
}
