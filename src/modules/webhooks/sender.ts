/** How far an attempt got when it failed; `status` when an answer came and was no success. */
export type Stage = "resolve" | "connect" | "tls" | "send" | "wait" | "status";

export interface PostRequest {
  /** An http:// or https:// address without credentials. */
  url: string;
  /** In this order; `host` and `content-length` are the sender's. */
  headers: readonly (readonly [name: string, value: string])[];
  /** As it is, or as it is in UTF-8. */
  body: string | Uint8Array;
}

/** What became of one POST. What can be expected of the outside is told here, never thrown. */
export interface PostResult {
  /** Where it failed; null when a complete answer came, whatever its status. */
  stage: Exclude<Stage, "status"> | null;
  /** Why it failed, in our own words: nothing of the address, the body or the answer is in it. */
  error: string | null;
  /** Of the answer, as far as it came. */
  status: number | null;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** The first 4 KiB of the answer's body, as text. */
  body: string;
  duration_ms: number;
}

/** The door through which webhooks leave; `plugins/outbound-http` is it. */
export interface HttpSender {
  /**
   * One POST: no redirect is followed. Only the address that was judged is dialled. Breaks off when the signal does.
   * @throws TypeError for a URL or a header that can't be written: both are checked when they are taken in
   */
  post(request: PostRequest, signal: AbortSignal): Promise<PostResult>;
  /**
   * Judges where an address leads, as each POST does again.
   * @throws TypeError for what is no http:// or https:// address
   * @returns null when it may be dialled or does not resolve by now, else why it is refused
   */
  judge(url: string): Promise<string | null>;
  /** Ends the connections that are kept open. */
  close(): Promise<void>;
}
