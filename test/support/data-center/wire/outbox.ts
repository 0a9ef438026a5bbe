/** Bytes that the socket does not take yet wait here, in order. */
export interface Outbox {
  send(bytes: Uint8Array): void;
  /** The socket takes more. */
  drain(): void;
}

export function createOutbox(write: (bytes: Uint8Array) => number): Outbox {
  const waiting: Uint8Array[] = [];
  const drain = () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const written = Math.max(0, write(next));
      if (written === next.length) continue;
      waiting.unshift(next.subarray(written));
      return;
    }
  };
  return {
    send(bytes) {
      waiting.push(bytes);
      if (waiting.length === 1) drain();
    },
    drain,
  };
}
