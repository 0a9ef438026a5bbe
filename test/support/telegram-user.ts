import { createTelegramUser, type TelegramUser } from "#plugins/telegram-user/telegram-user.ts";
import { type Clock, systemClock } from "#src/core/clock.ts";
import { silentLog } from "#src/core/log.ts";
import type { Connection } from "#src/modules/connections/model.ts";
import type { Outgoing } from "#src/modules/messages/channel.ts";
import { type DataCenter, startDataCenter } from "#test/support/data-center/start.ts";
import { createMemoryLink, type MemoryLink } from "#test/support/memory-link.ts";

export const account = { env_id: 1, id: 10_001, username: null, telegram_id: null, token: null };
export const signal = new AbortController().signal;

export interface Setup extends AsyncDisposable {
  dc: DataCenter;
  user: TelegramUser;
  /** The account's owner, and somebody else. */
  ann: Awaited<ReturnType<DataCenter["addUser"]>>;
  bob: Awaited<ReturnType<DataCenter["addUser"]>>;
  /** Logs Ann in. @returns her session */
  login(): Promise<string>;
  connect(link: MemoryLink, from?: { proxy?: string }): Connection;
  /** Logs Ann in and connects her. */
  connected(): Promise<{ link: MemoryLink; connection: Connection }>;
  send(message: Partial<Outgoing>): ReturnType<TelegramUser["channel"]["send"]>;
}

/** Telegram with two people, and what connects to it. */
export async function setup({ clock = systemClock, dcIds = [2] }: { clock?: Clock; dcIds?: number[] } = {}): Promise<Setup> {
  const dc = await startDataCenter({ dcIds });
  const telegram = { api_id: 1, api_hash: "0123456789abcdef0123456789abcdef", dc: { main: dc.main, public_key_pem: dc.publicKeyPem } };
  const user = createTelegramUser({ ...telegram, clock, log: silentLog });
  const ann = dc.addUser({ firstName: "Ann", phone: "4915100000001", username: "ann_owner" });
  const bob = dc.addUser({ firstName: "Bob", phone: "4915100000002", username: "bob_other" });

  async function login(): Promise<string> {
    const who = { ...account, phone: "+4915100000001", proxy: null };
    await user.gate.sendCode(who);
    const answer = await user.gate.confirm(who, dc.codeFor("4915100000001"));
    if (answer.kind !== "done") throw new Error(`the login ended as ${answer.kind}`);
    return answer.session;
  }
  const connect: Setup["connect"] = (link, { proxy } = {}) =>
    user.connector.connect({ ...account, session: link.session, place: link.place, proxy: proxy ?? null }, link);

  return {
    dc,
    user,
    ann,
    bob,
    login,
    connect,
    async connected() {
      const link = createMemoryLink();
      link.session = await login();
      const connection = connect(link);
      await link.until(() => link.place !== null);
      return { link, connection };
    },
    send: (message) => user.channel.send(account, { ...plain, ...message }, signal),
    async [Symbol.asyncDispose]() {
      await user.close();
      await dc.stop();
    },
  };
}

const plain: Outgoing = {
  id: "msg_01",
  recipient: "@bob_other",
  chat_id: null,
  text: "Hello",
  silent: false,
  reply_to: null,
  topic_id: null,
  parse_mode: null,
  files: [],
  buttons: [],
};
