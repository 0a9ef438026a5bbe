import type { Message } from "#src/modules/messages/model.ts";
import type { Answer, Caller } from "./client.ts";

/** Plays a message from Sarah to the sandbox account, but for what is given. */
export function receiveFrom(caller: Caller, ask: Record<string, unknown> = {}, headers?: Record<string, string>): Promise<Answer<Message>> {
  return caller.post("/v1/sandbox/inbound", { from: "@sarah_miller", text: "Hello", ...ask }, headers);
}
