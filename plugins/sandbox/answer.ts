import type { Inbound } from "#src/modules/connections/model.ts";
import type { Outgoing } from "#src/modules/messages/channel.ts";
import type { Person } from "#src/modules/messages/model.ts";
import type { Answering } from "./recipients.ts";

/** What somebody does with a message that has just reached them, as a channel would tell of it. @param at ms */
export function answerTo(by: Answering, message: Outgoing, sent: { remote_id: string; sender: Person; at: number }): Inbound[] {
  const { remote_id, sender, at } = sent;
  const { username, first_name, last_name, telegram_id } = sender;
  const chat = { id: message.chat_id ?? String(telegram_id), type: "private" as const, title: null, username, first_name, last_name };
  const told = { chat, topic: null, sender, at, update_id: null };
  const writes = (text: string): Inbound => ({
    ...told,
    kind: "received",
    remote_id: `${message.id}.answer`,
    text,
    reply_to: remote_id,
    start_payload: null,
    files: [],
    location: null,
    contact_card: null,
    album_id: null,
  });
  switch (by) {
    case "writing the same":
      return [writes(message.text)];
    case "writing STOP":
      return [writes("STOP")];
    case "pressing the first button": {
      const data = message.buttons.flat().find((button) => button.data !== undefined)?.data;
      return data === undefined ? [] : [{ ...told, kind: "pressed", remote_id, data }];
    }
    case "reacting":
      return [{ ...told, kind: "reacted", remote_id, reactions: ["\u{1F44D}"] }];
    case "blocking the account":
      return [{ ...told, kind: "reach", reachable: false }];
    default:
      return by satisfies never;
  }
}
