import type { Clock } from "#src/core/clock.ts";
import type { Channel, ChannelAccount, Refusal } from "#src/modules/messages/channel.ts";
import { editMessage, removeMessage } from "./change.ts";
import { fetchFile } from "./download.ts";
import type { Live, Lives } from "./live.ts";
import { normalizeRecipient } from "./recipient.ts";
import { refusalOf } from "./refusal.ts";
import { resolve } from "./resolve.ts";
import { sendMessage } from "./send.ts";

/** User accounts, over their connections. */
export function createChannel(lives: Lives, clock: Clock): Channel {
  async function over<T>(account: ChannelAccount, act: (live: Live) => Promise<T | Refusal>): Promise<T | Refusal> {
    const live = lives.get(account.id);
    if (live?.isUsable() !== true) return { kind: "unreached", reason: "The account has no connection to Telegram right now." };
    try {
      return await act(live);
    } catch (error) {
      return refusalOf(error);
    }
  }

  return {
    kind: "telegram_user",
    name: "telegram",
    family: "telegram",
    // Telegram knows a message again by its random id, which comes from ours.
    resendable: true,
    usesNetwork: true,
    // The account's own book of peers does, and asks again once a name may have passed to somebody else.
    remembersChats: false,
    oneAtATime: true,
    lacksButtons: true,
    accountLimits: [],
    chatLimits: () => [],
    normalize: normalizeRecipient,
    foresee: (_account, recipient, isKnown) =>
      isKnown || /^[@+]/.test(recipient)
        ? null
        : {
            code: "recipient_not_found",
            message: "This account has not met them, and so can't write to their numeric id: use the @username.",
          },
    profile: (account, to, signal) =>
      over(account, async (live) => {
        const resolved = await resolve(live, to, clock.now(), signal);
        if (resolved.kind !== "target") return resolved;
        const { chat } = resolved.target;
        const { first_name, last_name, username } = chat;
        return { kind: "profile", profile: { first_name, last_name, username }, chat };
      }),
    edit: (account, message, revision, signal) => over(account, (live) => editMessage(live, message, revision, clock.now(), signal)),
    remove: (account, message, signal) => over(account, (live) => removeMessage(live, message, clock.now(), signal)),
    fetchFile: (account, remote, signal) => over(account, (live) => fetchFile(live, remote, signal)),
    send: (account, message, signal) => over(account, (live) => sendMessage(live, message, clock.now(), signal)),
  };
}
