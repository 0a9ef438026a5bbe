import type { Channel, ChannelAccount, Destination, ProfileResult, Refusal } from "#src/modules/messages/channel.ts";
import { editMessage, removeMessage } from "./change.ts";
import { type Bot, findChat } from "./chat.ts";
import { fetchFile } from "./download.ts";
import { notStarted } from "./outcome.ts";
import { accountLimits, chatLimits, isGroup, normalizeRecipient } from "./recipient.ts";
import { sendMessage } from "./send.ts";
import { createWire, type Wire, type WireOptions } from "./wire.ts";

/** Telegram's bots, over the Bot API: https://core.telegram.org/bots/api */
export function createTelegramBotChannel(options: WireOptions): Channel {
  const wire = createWire(options);
  return {
    kind: "telegram_bot",
    name: "telegram",
    family: "telegram",
    // The Bot API has no key by which it would know a message again.
    resendable: false,
    usesNetwork: true,
    remembersChats: true,
    accountLimits,
    chatLimits,
    normalize: normalizeRecipient,
    foresee(account, recipient, isKnown) {
      // Whether a bot may write in a group that it has not met, Telegram alone knows.
      if (isKnown || isGroup(recipient)) return null;
      const { message, link } = notStarted(account, { recipient, chat_id: null });
      return { code: "recipient_not_started", message, link };
    },
    profile: (account, to, signal) => asBot(account, (bot) => readProfile(wire, bot, to, signal)),
    send: (account, message, signal) => asBot(account, (bot) => sendMessage(wire, bot, message, signal)),
    edit: (account, message, revision, signal) => asBot(account, (bot) => editMessage(wire, bot, message, revision, signal)),
    remove: (account, message, signal) => asBot(account, (bot) => removeMessage(wire, bot, message, signal)),
    fetchFile: (account, remote, signal) => asBot(account, (bot) => fetchFile(wire, options, bot, remote, signal)),
  };
}

async function asBot<T>(account: ChannelAccount, act: (bot: Bot) => Promise<T>): Promise<T | Refusal> {
  const { token } = account;
  return token === null ? { kind: "unauthorized", reason: "The account has no token." } : act({ ...account, token });
}

async function readProfile(wire: Wire, bot: Bot, to: Destination, signal: AbortSignal): Promise<ProfileResult> {
  const found = await findChat(wire, bot, to, signal);
  if (found.kind !== "chat") return found;
  const { first_name, last_name, username } = found.chat;
  return { kind: "profile", profile: { first_name, last_name, username }, chat: found.chat };
}
