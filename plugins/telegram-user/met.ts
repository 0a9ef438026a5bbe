import type { IReferenceMessagesRepository } from "@mtcute/core";

const MET_MAX = 500;

/** Where people were met whom Telegram tells of only in passing: by such a message they can be written to. The last of them alone. */
export function createMet(): IReferenceMessagesRepository {
  const met = new Map<number, [chat: number, message: number]>();
  const forget = (peer: number) => void met.delete(peer);
  return {
    store(peer, chat, message) {
      met.delete(peer);
      met.set(peer, [chat, message]);
      const [oldest] = met.keys();
      if (met.size > MET_MAX && oldest !== undefined) met.delete(oldest);
    },
    getByPeer: (peer) => met.get(peer) ?? null,
    delete(chat, messages) {
      for (const [peer, [at, message]] of met) if (at === chat && messages.includes(message)) met.delete(peer);
    },
    deleteByPeer: forget,
    deleteAll: () => met.clear(),
  };
}
