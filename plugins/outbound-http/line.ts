import { type AnswerReader, createAnswerReader } from "./answer.ts";
import type { Attempt } from "./attempt.ts";
import { Failure } from "./failure.ts";

/** A connection to a receiver: one request and its answer after another. */
export interface Line {
  /** The address that was dialled, and when it was last judged (ms). */
  readonly address: string;
  judgedAt: number;
  /** Since when it waits for the next request (ms). */
  idleSince: number;
  /** The answer to the last request, as far as it came. */
  readonly answer: AnswerReader;
  /** Null once the answer is complete. After a failure the line must be closed. */
  exchange(request: Buffer, attempt: Attempt): Promise<Failure | null>;
  /** Another request may follow. */
  readonly isReusable: boolean;
  onClosed: (() => void) | null;
  close(): void;
}

/** What its socket tells it. */
export interface LineEvents {
  data(chunk: Buffer): void;
  drain(): void;
  ended(): void;
  /** Something of ours threw, or TLS broke; the latter has a code. */
  erred(error: Error): void;
  closed(): void;
}

export function createLine(socket: Pick<Bun.Socket<unknown>, "write" | "terminate">, address: string, judgedAt: number): Line & LineEvents {
  const answer = createAnswerReader();
  let isOpen = true;
  let unsent: Buffer | null = null;
  let attempt: Attempt | null = null;
  let settle: ((failure: Failure | null) => void) | null = null;
  let throwOut: ((error: Error) => void) | null = null;

  function finish(failure: Failure | null): void {
    const tell = settle;
    settle = null;
    if (attempt !== null) attempt.onBreak = null;
    attempt = null;
    tell?.(failure);
  }

  /** What the socket does not take at once leaves when it drains. */
  function send(what: Buffer): void {
    const taken = socket.write(what);
    if (taken < 0) closed();
    else if (taken < what.length) unsent = what.subarray(taken);
    else {
      unsent = null;
      if (attempt !== null) attempt.stage = "wait";
    }
  }

  function closed(): void {
    if (!isOpen) return;
    isOpen = false;
    if (settle !== null) finish(lost());
    line.onClosed?.();
  }

  function lost(): Failure {
    if (answer.isBegun) return new Failure("wait", "the connection was closed before the answer was complete");
    if (unsent !== null) return new Failure("send", "the connection was closed before the request was sent", true);
    return new Failure("wait", "the connection was closed before an answer came", true);
  }

  function close(): void {
    if (!isOpen) return;
    socket.terminate();
    if (isOpen) closed();
  }

  const line: Line & LineEvents = {
    address,
    judgedAt,
    idleSince: judgedAt,
    answer,
    exchange(request, of) {
      answer.begin();
      if (of.broken !== null || !isOpen) return Promise.resolve(of.broken ?? lost());
      return new Promise((resolve, reject) => {
        throwOut = reject;
        settle = resolve;
        attempt = of;
        of.stage = "send";
        of.onBreak = finish;
        send(request);
      });
    },
    get isReusable() {
      return isOpen && unsent === null && answer.keepsAlive;
    },
    onClosed: null,
    close,
    data(chunk) {
      // What comes unasked belongs to nothing: mostly the reason why the other side is about to close.
      if (settle === null) close();
      else if (answer.feed(chunk)) finish(answer.fault === null ? null : new Failure("wait", answer.fault));
    },
    drain() {
      if (unsent !== null) send(unsent);
    },
    ended() {
      if (settle !== null && answer.isBegun && answer.finish()) finish(null);
    },
    erred(error) {
      // A closed connection is told of as any other; a fault of ours must not look like one of the receiver's.
      if (!("code" in error)) throwOut?.(error);
      close();
    },
    closed,
  };
  return line;
}
