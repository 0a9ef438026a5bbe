import type { Clock } from "#src/core/clock.ts";
import { zoneOf } from "#src/core/contact-zone.ts";
import { addDuration } from "#src/core/duration.ts";
import { AppError, isUnavailable } from "#src/core/errors.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Reaching, SendMessage, Way } from "#src/modules/messages/model.ts";
import type { BroadcastMessage, Plan } from "./model.ts";
import { openTime } from "./plan.ts";
import type { DueRecipient } from "./recipients-sql.ts";
import type { BroadcastStore, BroadcastWithState } from "./store.ts";
import type { Tally } from "./tally.ts";
import { messageOf } from "./variants.ts";

/** The verbs that broadcasts use of messages. */
export interface Messages {
  send(
    tx: Tx,
    sender: { env_id: number; key_id: string; account_ids: null },
    ask: SendMessage,
    making: { origin: { type: "broadcast"; id: string; step: string | null; enrollment_id: null } },
  ): Promise<{ sent: { id: string } }>;
  /** @returns false when it is no longer queued */
  takeBack(tx: Tx, env_id: number, id: string): Promise<boolean>;
  /** When a contact's newest messages were made that came from sequences and broadcasts, the oldest of them first (ms). */
  madeSince(tx: Tx, env_id: number, contact_id: string, since: number, most: number): Maybe<number[]>;
  /** For each contact, in their order, who of these accounts can write to them. */
  reach(tx: Tx, env_id: number, account_ids: readonly number[], contact_ids: readonly string[]): Promise<Reaching[]>;
}

interface Needs {
  store: BroadcastStore;
  clock: Clock;
  messages: Messages;
}

/** Who of a pool has how many messages of this process waiting: an inkling, for sharing the work. */
type Loads = Map<number, number>;
type Ways = Extract<Reaching, { kind: "ways" }>;

/** Why nothing is sent to a recipient. */
type Skipped = { skipped: string };
/** Until when (ms) nothing is, and why. */
type Later = { until: number; why: string };
type Made = { message_id: string; account_id: number };

/** Makes the messages of a broadcast's recipients. */
export function createMaking({ store, clock, messages }: Needs) {
  async function make(
    tx: Tx,
    row: BroadcastWithState,
    message: BroadcastMessage,
    variant: string,
    contact_id: string,
    way: Way,
  ): Promise<Made | Skipped> {
    const { account_id } = way;
    try {
      const origin = { type: "broadcast", id: row.id, step: variant === "" ? null : variant, enrollment_id: null } as const;
      const sender = { env_id: row.env_id, key_id: "job", account_ids: null };
      const { sent } = await messages.send(tx, sender, { ...message, account_id, to: contact_id }, { origin });
      return { message_id: sent.id, account_id };
    } catch (error) {
      // A message that is refused is so before it has written anything.
      if (!(error instanceof AppError) || isUnavailable(error)) throw error;
      return { skipped: reasonOf(error) };
    }
  }

  /** Whether a message may not be made now: its hours, or what the contact has got already. */
  async function laterOf(tx: Tx, env_id: number, plan: Plan, reaching: Ways): Promise<Later | null> {
    const now = clock.now(env_id);
    const zone = zoneOf(reaching, plan.timezone);
    const open = openTime(plan, zone, now);
    if (open > now) return { until: open, why: "window" };
    if (plan.frequency_cap === null) return null;
    const { count, per } = plan.frequency_cap;
    const since = addDuration(now, `-${per}`, zone);
    const made = await messages.madeSince(tx, env_id, reaching.contact_id, since, count);
    // Once the first of those has left that time behind there is room for one.
    return made.length < count ? null : { until: addDuration(made[0]!, per, zone) + 1, why: "frequency_cap" };
  }

  return {
    /** @returns for how many there is a message now, and how many were passed over */
    async makeSome(
      tx: Tx,
      row: BroadcastWithState,
      plan: Plan,
      recipients: readonly DueRecipient[],
      tally: Tally,
    ): Promise<{ queued: number; skipped: number }> {
      const key = { env_id: row.env_id, broadcast_id: row.id };
      const ids = recipients.map(({ contact_id }) => contact_id);
      const reached = await messages.reach(tx, row.env_id, plan.account_ids, ids);
      const loads: Loads = new Map();
      const sums = { queued: 0, skipped: 0 };
      for (const [at, { contact_id: noted, variant }] of recipients.entries()) {
        const contact_id = await known(noted, reached[at]!);
        const made = contact_id === null ? { skipped: "merged" } : await one(reached[at]!, variant, loads);
        const to = { ...key, contact_id: contact_id ?? noted };
        if ("until" in made) await store.putOff(tx, { ...to, due_at: made.until, reason: made.why });
        else if ("skipped" in made) {
          sums.skipped += 1;
          tally.note(variant, `skipped.${made.skipped}`);
          await store.settle(tx, { ...to, status: "skipped", account_id: null, message_id: null, reason: made.skipped });
        } else {
          sums.queued += 1;
          loads.set(made.account_id, (loads.get(made.account_id) ?? 0) + 1);
          tally.note(variant, "entered");
          await store.settle(tx, { ...to, status: "queued", ...made, reason: null });
        }
      }
      return sums;

      /** Who was merged is noted by who they are since: of several who became one person the others are passed over. */
      async function known(noted: string, { contact_id }: Reaching): Promise<string | null> {
        if (contact_id === null || contact_id === noted) return noted;
        if ((await store.recipient(tx, key, contact_id)) !== undefined) return null;
        await store.rename(tx, key, noted, contact_id);
        return contact_id;
      }

      async function one(reaching: Reaching, variant: string, loads: Loads): Promise<Made | Skipped | Later> {
        if (reaching.kind === "none") return { skipped: reaching.reason };
        const later = await laterOf(tx, row.env_id, plan, reaching);
        return later ?? make(tx, row, messageOf(plan, variant), variant, reaching.contact_id, chosen(reaching.ways, loads));
      }
    },
  };
}

/** Who knows the recipient, before who probably reaches them; of several the one with the least to do. */
export function chosen(ways: readonly Way[], loads: ReadonlyMap<number, number>): Way {
  const place = ({ account_id, isKnown, foreseen }: Way) =>
    [Number(foreseen !== null), Number(!isKnown), loads.get(account_id) ?? 0] as const;
  return ways.toSorted((a, b) => compare(place(a), place(b)))[0]!;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at === -1 ? 0 : a[at]! - b[at]!;
}

/** The code of what a message was refused for. */
export function reasonOf({ code, details }: AppError): string {
  const field = details?.[0]?.field;
  if (code === "validation_error" && field === "variables") return "variable_missing";
  if (code === "validation_error" && field === "to") return "no_address";
  return code === "validation_error" ? "message_rejected" : code;
}
