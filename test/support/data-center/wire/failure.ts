/** A refusal in Telegram's own form, as `400 PEER_ID_INVALID`. */
export class RpcFailure extends Error {
  constructor(
    readonly code: number,
    readonly text: string,
  ) {
    super(`${code} ${text}`);
  }
}
