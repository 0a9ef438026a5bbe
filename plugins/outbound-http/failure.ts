import type { PostResult } from "#src/modules/webhooks/sender.ts";

export type FailedStage = NonNullable<PostResult["stage"]>;

/** An attempt that came to nothing. The message is in our own words: neither address nor answer is in it. */
export class Failure extends Error {
  constructor(
    readonly stage: FailedStage,
    message: string,
    /** The connection had been used before and was closed before any byte of an answer: on another one all may be well. */
    readonly isStale = false,
  ) {
    super(message);
    this.name = "Failure";
  }
}
