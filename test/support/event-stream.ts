import type { TestApp } from "./app.ts";
import type { Caller } from "./client.ts";
import { turn } from "./sending.ts";

/** An event as a client of a stream sees it. */
export interface Heard {
  id: string;
  event: string;
  data: Record<string, unknown>;
}

/** A client of the live stream, which reads when it is asked to. */
export interface Ear {
  status: number;
  headers: Headers;
  /** The next events: reads until there are so many. */
  next(count: number): Promise<Heard[]>;
  /** The next part, as text; null at the end. */
  part(): Promise<string | null>;
  /** Reads to the end. @returns the comments and events that came until then */
  rest(): Promise<string>;
  close(): Promise<void>;
}

const NUDGE_MS = 10;

/** Opens a stream and takes its first comment. @param query with its question mark */
export async function listen(
  { fetch, clock }: Pick<TestApp, "fetch" | "clock">,
  { key }: Pick<Caller, "key">,
  query = "",
  headers: Record<string, string> = {},
): Promise<Ear> {
  const request = new Request(`http://localhost/v1/events/stream${query}`, { headers: { authorization: `Bearer ${key}`, ...headers } });
  const response = await fetch(request);
  return toEar(response, () => clock.advance(NUDGE_MS));
}

/** @param nudge lets what waits for the clock go on, such as a look at what a transaction of PostgreSQL has hidden */
async function toEar(response: Response, nudge: () => void): Promise<Ear> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let waiting: Heard[] = [];

  async function part(): Promise<string | null> {
    const { value, done } = await reader.read();
    return done ? null : decoder.decode(value as Uint8Array, { stream: true });
  }

  let kept = "";
  async function more(): Promise<void> {
    const text = await part();
    if (text === null) throw new Error("the stream has ended");
    kept += text;
    const blocks = kept.split("\n\n");
    kept = blocks.pop()!;
    waiting.push(...blocks.filter((block) => !block.startsWith(":")).map(parse));
  }

  if (response.status === 200) await more();
  return {
    status: response.status,
    headers: response.headers,
    async next(count) {
      while (waiting.length < count) {
        const reading = { isOver: false };
        const done = more().finally(() => (reading.isOver = true));
        for (await turn(); !reading.isOver; await turn()) nudge();
        await done;
      }
      const given = waiting.slice(0, count);
      waiting = waiting.slice(count);
      return given;
    },
    part,
    async rest() {
      let all = "";
      for (let text = await part(); text !== null; text = await part()) all += text;
      return all;
    },
    close: () => reader.cancel(),
  };
}

function parse(block: string): Heard {
  const lines = Object.fromEntries(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
  return { id: lines.id!, event: lines.event!, data: JSON.parse(lines.data!) as Record<string, unknown> };
}
