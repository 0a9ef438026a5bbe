import type { Message, SendMessage, Sent } from "#src/modules/messages/model.ts";
import type { Answer, Caller } from "./client.ts";

/** What is given as undefined is left out. */
type Ask = { [Name in keyof SendMessage]?: SendMessage[Name] | undefined } & Record<string, unknown>;

/** A message from the sandbox account to Sarah, but for what is given. */
export function sendTo(caller: Caller, ask: Ask = {}, headers?: Record<string, string>): Promise<Answer<Sent>> {
  return caller.post("/v1/messages/send", { account_id: 7421, to: "@sarah_miller", text: "Your invite is ready", ...ask }, headers);
}

/** Sends, and gives the id. @throws Error when it is refused */
export async function queue(caller: Caller, ask: Ask = {}): Promise<string> {
  const { status, body, text } = await sendTo(caller, ask);
  if (status !== 200) throw new Error(`the message was refused: ${text}`);
  return body.id;
}

export async function read(caller: Caller, id: string): Promise<Message> {
  return (await caller.get<Message>(`/v1/messages/${id}`)).body;
}

export function cancel(caller: Caller, id: string, headers?: Record<string, string>): Promise<Answer<Message>> {
  return caller.post(`/v1/messages/${id}/cancel`, undefined, headers);
}

/** Lets the event loop go on: for conditions that are waited for, each within the test's own deadline. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
