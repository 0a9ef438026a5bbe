import { AppError } from "./errors.ts";

/** The bytes of a request's body. @throws AppError `bad_request` when they break off */
export async function* incoming(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const bytes = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await bytes.next().catch((cause: unknown) => {
        throw new AppError("bad_request", "The file broke off before its end: send it again.", { cause });
      });
      if (done === true) return;
      yield value;
    }
  } finally {
    await bytes.return?.().catch(() => undefined);
  }
}
