import type { PostResult } from "#src/modules/webhooks/sender.ts";

export type FailedStage = NonNullable<PostResult["stage"]>;

/** An attempt that came to nothing. The message is in our own words: neither address nor answer is in it. */
export class Failure extends Error {
  constructor(
    readonly stage: FailedStage,
    message: string,
    /** The connection ended before any byte of an answer. Where it had been used before, all may be well on another one. */
    readonly isUnanswered = false,
  ) {
    super(message);
    this.name = "Failure";
  }
}
