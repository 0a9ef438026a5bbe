import type { InboundChat, Received } from "#src/modules/connections/model.ts";
import type { Message } from "#src/modules/messages/model.ts";
import type { Answer, Caller } from "./client.ts";

/** Plays a message from Sarah to the sandbox account, but for what is given. */
export function receiveFrom(caller: Caller, ask: Record<string, unknown> = {}, headers?: Record<string, string>): Promise<Answer<Message>> {
  return caller.post("/v1/sandbox/inbound", { from: "@sarah_miller", text: "Hello", ...ask }, headers);
}

type Arriving = Partial<Omit<Received, "chat">> & { chat?: Partial<InboundChat> };

/** A message as a connector tells of it: from Ann in a private chat, but for what is given. */
export function arriving({ chat, ...told }: Arriving = {}): Received {
  const sender = told.sender === undefined ? { telegram_id: 8, username: null, first_name: "Ann", last_name: null } : told.sender;
  const { username, first_name, last_name } = sender ?? { username: null, first_name: null, last_name: null };
  const own = { id: String(sender?.telegram_id ?? 0), type: "private" as const, title: null, username, first_name, last_name };
  return {
    ...{ kind: "received", topic: null, at: 1_700_000_000_000, update_id: null, remote_id: "1", text: "Hello", reply_to: null },
    ...{ files: [], location: null, contact_card: null, album_id: null, start_payload: null },
    ...told,
    sender,
    chat: { ...own, ...chat },
  };
}
