import type { Log } from "./log.ts";
import type { RequestContext } from "./request.ts";

/** Made when they are asked for. */
type Parts = AsyncGenerator<{ bytes: Uint8Array<ArrayBuffer> }, void, void>;
type Part = IteratorResult<{ bytes: Uint8Array<ArrayBuffer> }, void>;

/**
 * An answer that goes out as fast as the client takes it, whatever its size.
 * @param log learns why an answer was broken off
 * @throws whatever the first part throws: before anything is out it can still be answered as a problem
 */
export async function answerInParts(context: RequestContext, parts: Parts, headers: Record<string, string>, log: Log): Promise<Response> {
  const first = await parts.next();
  context.streams = true;
  const onBreak = (error: unknown) => log.error("an answer was broken off", { request_id: context.id, error });
  return new Response(toStream(first, parts, onBreak), { headers });
}

/** Nothing is read ahead of the client, and nothing more once it is gone. */
function toStream(first: Part, parts: Parts, onBreak: (error: unknown) => void): ReadableStream<Uint8Array> {
  let waiting: Part | undefined = first;
  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const { value, done } = waiting ?? (await parts.next());
      waiting = undefined;
      if (done === true) controller.close();
      else controller.enqueue(value.bytes);
    } catch (error) {
      onBreak(error);
      // The connection is reset, so that a part is not taken for the whole. With a reason Bun would print it beside the log.
      controller.error();
    }
  }
  return new ReadableStream({ pull, cancel: () => parts.return().then(() => undefined) }, { highWaterMark: 0 });
}
