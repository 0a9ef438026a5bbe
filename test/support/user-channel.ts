import type { Channel, Outgoing, SendResult } from "#src/modules/messages/channel.ts";
import type { TestApp } from "./app.ts";

/** A channel of user accounts that sends nowhere. */
export interface PlayedUsers {
  channel: Channel;
  sent: Outgoing[];
  /** What the next sends come to; then all are sent. */
  results: SendResult[];
}

export function playUsers(): PlayedUsers {
  const sent: Outgoing[] = [];
  const results: SendResult[] = [];
  const chatOf = ({ recipient, chat_id }: Outgoing) => chat_id ?? String(1_000_000 + Number(Bun.hash(recipient) % 1_000_000n));
  const channel: Channel = {
    kind: "telegram_user",
    name: "telegram",
    family: "telegram",
    resendable: true,
    usesNetwork: true,
    remembersChats: true,
    oneAtATime: true,
    accountLimits: [],
    chatLimits: () => [],
    normalize: (recipient) => String(recipient).toLowerCase(),
    profile: () => ({ kind: "profile", profile: { first_name: null, last_name: null, username: null }, chat: null }),
    send(_account, message) {
      const result = results.shift();
      if (result !== undefined && result.kind !== "sent") return result;
      sent.push(message);
      const names = { first_name: null, last_name: null, username: message.recipient.replace(/^@/, "") };
      const chat = { chat_id: chatOf(message), type: "private", ...names };
      return result ?? { kind: "sent", remote_id: String(sent.length), chat, reached: "sent" };
    },
  };
  return { channel, sent, results };
}

/** A user account that is logged in, as far as the program can tell. */
export async function makeUser({ live, db, clock, services }: TestApp, phone = "+447700900123"): Promise<number> {
  const { env_id } = live;
  const { id } = await db.write((tx) => services.accounts.create(tx, env_id, { kind: "telegram_user", phone }, null, "test"));
  await db.write(async (tx) => {
    await db.in(tx).updateTable("accounts").set({ status: "connected" }).where("env_id", "=", env_id).where("id", "=", id).execute();
    const proof = { env_id, account_id: id, session: null, place: null, proof_at: clock.now() + 10 ** 9, error: null, error_at: null };
    await db.in(tx).insertInto("connections").values(proof).execute();
    await services.loop.pauseLane(tx, env_id, `account:${id}`, false);
  });
  return id;
}
