import type { LoggedEvent } from "./logged-event.ts";

const encoder = new TextEncoder();

/** A comment: says that the stream stands, and is no event. */
export const HEARTBEAT = encoder.encode(":\n\n");

/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
export function writeEvents(events: readonly Pick<LoggedEvent, "id" | "type" | "body">[]): Uint8Array<ArrayBuffer> {
  return encoder.encode(events.map(({ id, type, body }) => `id: ${id}\nevent: ${type}\ndata: ${body}\n\n`).join(""));
}
