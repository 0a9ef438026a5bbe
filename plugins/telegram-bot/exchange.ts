import { type FormFile, toForm } from "./form.ts";

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
 *
 * @param files make a form of the body, and are read as they leave
 */
export function createExchange(
  { timeoutMs, answerMax = ANSWER_MAX }: ExchangeLimits,
  signal: AbortSignal,
  files: readonly FormFile[] = [],
): Exchange {
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
      let timer = setTimeout(end, timeoutMs, "timeout");
      const onRead = () => {
        trace.isWritten = true;
        clearTimeout(timer);
        timer = setTimeout(end, timeoutMs, "timeout");
      };
      signal.addEventListener("abort", stop);
      if (signal.aborted) stop();
      try {
        const sent = files.length === 0 ? plainBody(body, onRead) : formBody(body, files, onRead);
        const response = await fetch(url, {
          method: "POST",
          headers: { ...headers, ...sent.headers, "content-length": String(sent.length) },
          body: sent.stream,
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

interface Body {
  length: number;
  headers: Record<string, string>;
  stream: ReadableStream<Uint8Array>;
}

// The default of 1 would read a body before there is a connection.
const UNREAD = { highWaterMark: 0 };

function plainBody(text: string, onRead: () => void): Body {
  const bytes = new TextEncoder().encode(text);
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    onRead();
    controller.enqueue(bytes);
    controller.close();
  };
  return { length: bytes.length, headers: {}, stream: new ReadableStream({ pull }, UNREAD) };
}

function formBody(json: string, files: readonly FormFile[], onRead: () => void): Body {
  const { length, contentType, pieces } = toForm(json, files);
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    onRead();
    const { value, done } = await pieces.next();
    if (done === true) controller.close();
    else controller.enqueue(value);
  };
  const cancel = async () => void (await pieces.return(undefined));
  return { length, headers: { "content-type": contentType }, stream: new ReadableStream({ pull, cancel }, UNREAD) };
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
