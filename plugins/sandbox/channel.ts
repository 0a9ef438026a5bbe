import { createHash } from "node:crypto";
import type { Clock } from "#src/core/clock.ts";
import { outcomes } from "#src/core/outcomes.ts";
import type { Channel, ChannelAccount, Outgoing, Profile, SendResult } from "#src/modules/messages/channel.ts";
import type { Person } from "#src/modules/messages/model.ts";
import { answerTo } from "./answer.ts";
import { type Answering, type Play, plays } from "./recipients.ts";

/** How many messages to magic recipients that fail at first are remembered. */
const TRIED_MAX = 10_000;

/** Telegram without Telegram: takes every message at once, and plays every outcome for magic recipients. */
export function createSandboxChannel(clock: Clock): Channel {
  const tried = new Set<string>();
  /** As Telegram's numbers they only grow, also over a restart. */
  let lastId = clock.now() * 1_000;

  /** @returns true the first time that it sees a message */
  function isFirstTry(id: string): boolean {
    if (tried.has(id)) return false;
    if (tried.size >= TRIED_MAX) tried.clear();
    tried.add(id);
    return true;
  }

  const arrives = ({ recipient, chat_id }: Outgoing, reached: "sent" | "delivered" | "read"): SendResult => ({
    kind: "sent",
    remote_id: String(++lastId),
    chat_id: chat_id ?? (isNumber(recipient) ? recipient : String(madeUpId(recipient))),
    chat: null,
    reached,
  });

  function answers(by: Answering, message: Outgoing, { env_id }: ChannelAccount): SendResult {
    const remote_id = String(++lastId);
    const sender = persona(message.recipient)!;
    const happened = answerTo(by, message, { remote_id, sender, at: clock.now(env_id) });
    return { kind: "sent", remote_id, chat_id: message.chat_id ?? String(sender.telegram_id), chat: null, reached: "sent", happened };
  }

  function play(play: Play, message: Outgoing, account: ChannelAccount): SendResult | Promise<SendResult> {
    switch (play.kind) {
      case "fails": {
        const link = play.code === "recipient_not_started" ? linkTo(account.username) : null;
        return { kind: "failed", code: play.code, message: outcomes[play.code], link };
      }
      case "reaches":
        return arrives(message, play.state);
      case "flood":
        return isFirstTry(message.id) ? { kind: "hold", ms: play.ms, reason: `retry after ${play.ms / 1000} s` } : arrives(message, "sent");
      case "unreachable":
        return isFirstTry(message.id) ? { kind: "unreached", reason: "the sandbox plays a lost network" } : arrives(message, "sent");
      case "slow":
        return new Promise((resolve) => clock.at(clock.now() + play.ms, () => resolve(arrives(message, "sent"))));
      case "answers":
        return answers(play.by, message, account);
      case "refused_at_once":
        return arrives(message, "sent");
      default:
        return play satisfies never;
    }
  }

  return {
    kind: "sandbox",
    name: "sandbox",
    family: "telegram",
    resendable: true,
    usesNetwork: false,
    remembersChats: true,
    accountLimits: [],
    chatLimits: () => [],
    normalize,
    refuse: (recipient) => (plays.get(recipient)?.kind === "refused_at_once" ? "daily_send_limit_reached" : null),
    persona,
    foresee(account, recipient) {
      const part = plays.get(recipient);
      if (part?.kind !== "fails") return null;
      if (part.code !== "recipient_not_started") return { code: part.code };
      return { code: part.code, message: notStarted(recipient), link: linkTo(account.username) };
    },
    profile: (_account, { recipient }) => ({ kind: "profile", profile: profileOf(recipient), chat: null }),
    send(account, message) {
      const part = plays.get(message.recipient);
      return part === undefined ? arrives(message, "sent") : play(part, message, account);
    },
    // Nothing is kept here: the message itself is all that there is of it.
    edit: () => ({ kind: "done" }),
    remove: () => ({ kind: "done" }),
    fetchFile: () => ({ kind: "file", bytes: new Blob([playedFile]).stream(), size: playedFile.byteLength }),
  };
}

/** In the words of a bot: those of the outcome tell of a message's `error.link`. */
const notStarted = (recipient: string) => `${recipient} has not started the bot, and a bot can't write first.`;
const linkTo = (username: string | null) => (username === null ? null : `https://t.me/${username}`);

/** What every file has in it that somebody sends in the sandbox. */
const playedFile = new TextEncoder().encode("A file of the sandbox.\n");

/** The sandbox takes any name that could be somebody's; letters of a username have no case. */
function normalize(recipient: string | number): string | null {
  if (typeof recipient === "number") return Number.isSafeInteger(recipient) && recipient !== 0 ? String(recipient) : null;
  if (isNumber(recipient)) return recipient;
  if (/^\+[1-9]\d{6,14}$/.test(recipient)) return recipient;
  return /^@?[A-Za-z][A-Za-z0-9_]{2,31}$/.test(recipient) ? `@${recipient.replace(/^@/, "").toLowerCase()}` : null;
}

const isNumber = (recipient: string) => /^-?[1-9]\d{0,15}$/.test(recipient);

/** `@sarah_miller` is Sarah Miller. */
function profileOf(recipient: string): Profile {
  if (!recipient.startsWith("@")) return { first_name: null, last_name: null, username: null };
  const username = recipient.slice(1);
  const [first, ...rest] = username
    .split("_")
    .filter((part) => part !== "")
    .map(capitalized);
  return { first_name: first ?? null, last_name: rest.length > 0 ? rest.join(" ") : null, username };
}

/** Who writes from an address: `@sarah_miller` always has the same made-up id, and of a bare id nothing more is known. */
function persona(address: string): Person | null {
  const telegram_id = address.startsWith("@") ? madeUpId(address) : Number(address);
  if (!Number.isSafeInteger(telegram_id) || telegram_id <= 0 || address.startsWith("+")) return null;
  return { telegram_id, ...profileOf(address) };
}

/** Of 48 bits: Telegram's own have up to 52. https://core.telegram.org/bots/api#user */
function madeUpId(username: string): number {
  return createHash("sha256").update(username).digest().readUIntBE(0, 6) + 1;
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
