/** How far one HTTP request got. */
export interface Trace {
  /** The connection stood and the body was asked for: from here on the server may have it. */
  isWritten: boolean;
  /** Of the answer, once its head is here. */
  status: number | null;
  end: "timeout" | "stopped" | null;
}

export interface Exchange {
  readonly trace: Readonly<Trace>;
  fetch(url: string, request: JsonRequest): Promise<Response>;
}

interface JsonRequest {
  headers: Record<string, string>;
  body: string;
}

/** How far an exchange may go. */
export interface ExchangeLimits {
  /** For the whole of it, connecting included. */
  timeoutMs: number;
  /** Characters of the answer; 1,048,576 where nothing is said. */
  answerMax?: number;
}

const ANSWER_MAX = 1_048_576;

/**
 * One HTTP request that knows whether it can have arrived.
 *
 * The body is a stream which is read only once the connection stands, TLS included. While it has not been read, no byte of it
 * can have left, whatever the error says; error codes alone don't tell (a reset comes during a handshake too, a timeout while
 * connecting too). Bun never repeats a request with such a body (https://github.com/oven-sh/bun/pull/32798), and with its
 * length given it is sent like any other. Redirects are not followed: the address holds the token.
 */
export function createExchange({ timeoutMs, answerMax = ANSWER_MAX }: ExchangeLimits, signal: AbortSignal): Exchange {
  const trace: Trace = { isWritten: false, status: null, end: null };
  return {
    trace,
    async fetch(url, { headers, body }) {
      const aborter = new AbortController();
      const end = (reason: Trace["end"]) => {
        trace.end ??= reason;
        aborter.abort();
      };
      const stop = () => end("stopped");
      const timer = setTimeout(end, timeoutMs, "timeout");
      signal.addEventListener("abort", stop);
      if (signal.aborted) stop();
      try {
        const bytes = new TextEncoder().encode(body);
        const response = await fetch(url, {
          method: "POST",
          headers: { ...headers, "content-length": String(bytes.length) },
          body: streamOf(bytes, () => (trace.isWritten = true)),
          redirect: "manual",
          signal: aborter.signal,
        });
        trace.status = response.status;
        return new Response(await readAnswer(response, answerMax));
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
      }
    },
  };
}

function streamOf(bytes: Uint8Array, onRead: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        onRead();
        controller.enqueue(bytes);
        controller.close();
      },
    },
    // The default of 1 would read the body before there is a connection.
    { highWaterMark: 0 },
  );
}

async function readAnswer(response: Response, answerMax: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > answerMax) throw new Error("the answer is too long");
  }
  return text + decoder.decode();
}
