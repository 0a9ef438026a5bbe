import { createParser } from "eventsource-parser";
import { backoffMs } from "#src/core/backoff.ts";
import { systemClock } from "#src/core/clock.ts";
import { pause } from "#src/core/pause.ts";
import { ExitError } from "./command.ts";
import { Busy, refusalOf, type ServerApi } from "./server-api.ts";

/** The server says something every 15 s: after so long a silence the connection is dead, though nothing has said so. */
const SILENCE_MS_MAX = 45_000;
const AGAIN_MS = 500;
const AGAIN_MS_MAX = 15_000;
/** The events of a contact that nobody is: asked for them, the log is gone through at once, and tells where it ends. */
const NOBODY = "ct_00000000000000000000000000";

/** An event as it came. */
export interface StreamedEvent {
  id: string;
  /** The event's JSON, byte for byte. */
  body: string;
}

export interface StreamAsk {
  /** Names and `noun.*`, separated by commas. */
  type?: string;
  /** Id of the last event that is known; without one it begins with what happens from now on. */
  after?: string;
}

interface Page {
  items: { id: string }[];
  has_more: boolean;
  next_cursor: string | null;
}

interface Needs {
  signal: AbortSignal;
  /** The stream stands. @param again it was broken before */
  onOpen(again: boolean): void;
  /** The stream is broken, and is opened again after this time (ms). */
  onBroken(why: string, waitMs: number): void;
}

/**
 * The live stream of a server, opened again whenever it breaks: no event is missing and none comes twice. Ends with the signal.
 * @throws ExitError when the server refuses it for good
 */
export async function* followEvents(api: ServerApi, { type, after }: StreamAsk, needs: Needs): AsyncGenerator<StreamedEvent> {
  const { signal } = needs;
  const query = type === undefined ? "" : `type=${encodeURIComponent(type)}`;
  let last = after;
  let [isFirst, tries] = [true, 0];
  while (!signal.aborted) {
    const attempt = new AbortController();
    let why = "the stream has ended";
    let waitMs = 0;
    try {
      if (last === undefined && isFirst) last = await endOfLog(api, signal);
      else if (last === undefined) {
        // The log was empty when this began: what is in it by now has been missed.
        const page = await api.read<Page>(`/v1/events?limit=1&${query}`, signal);
        last = page.next_cursor ?? undefined;
        for (const event of page.items) yield { id: event.id, body: JSON.stringify(event) };
      }
      const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": last };
      const answer = await api.open(`/v1/events/stream?${query}`, headers, AbortSignal.any([signal, attempt.signal]));
      if (answer.status !== 200) throw await refusalOf(api.url, answer);
      needs.onOpen(!isFirst);
      [isFirst, tries] = [false, 0];
      for await (const event of parseEvents(answer.body)) {
        last = event.id;
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ExitError) throw error;
      if (error instanceof Busy) ({ waitMs } = error);
      why = (error as Error).message;
    } finally {
      // A connection that has fallen silent is not kept.
      attempt.abort();
    }
    if (signal.aborted) return;
    waitMs = Math.max(waitMs, backoffMs(++tries, AGAIN_MS, AGAIN_MS_MAX));
    needs.onBroken(why, waitMs);
    await pause(systemClock, waitMs, signal);
  }
}

/** Id of the last event that there is; undefined when there is none. */
async function endOfLog(api: ServerApi, signal: AbortSignal): Promise<string | undefined> {
  for (let last: string | undefined; ;) {
    const after: string = last === undefined ? "" : `&after=${last}`;
    const page = await api.read<Page>(`/v1/events?limit=1&subject=${NOBODY}${after}`, signal);
    last = page.next_cursor ?? last;
    if (!page.has_more) return last;
  }
}

/** The events of a stream's bytes, however those are cut. @throws Error when nothing comes for so long */
export async function* parseEvents(bytes: AsyncIterable<Uint8Array>, silenceMs = SILENCE_MS_MAX): AsyncGenerator<StreamedEvent> {
  const decoder = new TextDecoder();
  let found: StreamedEvent[] = [];
  const parser = createParser({
    onEvent({ id, data }) {
      if (id !== undefined) found.push({ id, body: data });
    },
  });
  const parts = bytes[Symbol.asyncIterator]();
  try {
    for (let part = await nextOf(parts, silenceMs); part.done !== true; part = await nextOf(parts, silenceMs)) {
      parser.feed(decoder.decode(part.value, { stream: true }));
      const whole = found;
      found = [];
      yield* whole;
    }
  } finally {
    // Whoever waits for a part that never comes is not waited for.
    void parts.return?.().catch(() => {});
  }
}

function nextOf(parts: AsyncIterator<Uint8Array>, silenceMs: number): Promise<IteratorResult<Uint8Array>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing has come for ${silenceMs / 1000} s`)), silenceMs);
    parts
      .next()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
