import { Long } from "@mtcute/core";

/** 1 for the answer to a client's message, 3 for what the server says by itself. */
export type MessageKind = 1 | 3;

/** Message ids of a server: the time in 2^-32 seconds, growing always. */
export function createMessageIds(): (kind: MessageKind) => Long {
  let last = 0n;
  return (kind) => {
    const now = (BigInt(Date.now()) << 32n) / 1000n;
    const next = now > last ? now : last + 4n;
    last = next - (next % 4n) + BigInt(kind);
    return Long.fromString(last.toString());
  };
}
