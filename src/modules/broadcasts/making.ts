import type { Clock } from "#src/core/clock.ts";
import { zoneOf } from "#src/core/contact-zone.ts";
import { addDuration } from "#src/core/duration.ts";
import { AppError, isUnavailable } from "#src/core/errors.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Reaching, Room, SendMessage, Way } from "#src/modules/messages/model.ts";
import type { Plan } from "./model.ts";
import { openTime } from "./plan.ts";
import type { DueRecipient } from "./recipients-sql.ts";
import { addTo, chosen, type Later, laterBy, loadOf, type Loads, refusalOf, type Rooms } from "./sharing.ts";
import type { BroadcastStore, BroadcastWithState } from "./store.ts";
import type { Tally } from "./tally.ts";
import type { Tracking } from "./tracking.ts";
import { messageOf } from "./variants.ts";

/** The verbs that broadcasts use of messages. */
export interface Messages {
  send(
    tx: Tx,
    sender: { env_id: number; key_id: string; account_ids: null },
    ask: SendMessage,
    making: {
      origin: { type: "broadcast"; id: string; step: string | null; enrollment_id: null };
      relink?: (address: string) => string;
    },
  ): Promise<{ sent: { id: string } }>;
  /** @returns false when it is no longer queued */
  takeBack(tx: Tx, env_id: number, id: string): Promise<boolean>;
  /** When a contact's newest messages were made that came from sequences and broadcasts, the oldest of them first (ms). */
  madeSince(tx: Tx, env_id: number, contact_id: string, since: number, most: number): Maybe<number[]>;
  /** For each contact, in their order, who of these accounts can write to them. */
  reach(tx: Tx, env_id: number, account_ids: readonly number[], contact_ids: readonly string[]): Promise<Reaching[]>;
  /** What these accounts can send yet; of those that are here. */
  rooms(tx: Tx, env_id: number, account_ids: readonly number[]): Promise<ReadonlyMap<number, Room>>;
}

interface Needs {
  store: BroadcastStore;
  clock: Clock;
  messages: Messages;
  tracking: Pick<Tracking, "begin">;
}

type Ways = Extract<Reaching, { kind: "ways" }>;

/** Why nothing is sent to a recipient. */
type Skipped = { skipped: string };
type Made = { message_id: string; account_id: number };

/** What the accounts have to do already, and can send yet. */
interface Standing {
  loads: Loads;
  rooms: Rooms;
}

/** What the accounts have to do is an inkling, for sharing the work: it is counted anew this often. */
const COUNTED_MS = 250;

/** Makes the messages of a broadcast's recipients. */
export function createMaking({ store, clock, messages, tracking }: Needs) {
  /** What waited of the broadcast that was here last, and what was added since: many small steps follow one another. */
  let counted: { id: string; until: number; loads: Loads } | null = null;

  async function make(
    tx: Tx,
    row: BroadcastWithState,
    plan: Plan,
    variant: string,
    contact_id: string,
    { account_id }: Way,
  ): Promise<Made | Skipped> {
    try {
      const origin = { type: "broadcast", id: row.id, step: variant === "" ? null : variant, enrollment_id: null } as const;
      const sender = { env_id: row.env_id, key_id: "job", account_ids: null };
      const message = messageOf(plan, variant);
      const links = plan.track_links ? tracking.begin({ env_id: row.env_id, broadcast_id: row.id, contact_id, variant }) : null;
      const making = links === null ? { origin } : { origin, relink: links.relink };
      const { sent } = await messages.send(tx, sender, { ...message, account_id, to: contact_id }, making);
      links?.keep(tx);
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

  /** Asked for only where it can make a difference: a bot or the sandbox alone sends whatever it gets. */
  async function standingOf(tx: Tx, { env_id, id }: BroadcastWithState, plan: Plan, reached: readonly Reaching[]): Promise<Standing> {
    const { account_ids } = plan;
    const isAlone = account_ids.length === 1;
    if (isAlone && !reached.some((one) => one.kind === "ways" && one.ways.some(({ isKnown }) => !isKnown)))
      return { loads: new Map(), rooms: new Map() };
    const rooms = await messages.rooms(tx, env_id, account_ids);
    const minding = [...rooms].filter(([, { leftToNew }]) => leftToNew !== Number.POSITIVE_INFINITY).map(([account_id]) => account_id);
    if (isAlone && minding.length === 0) return { loads: new Map(), rooms };
    const now = clock.now();
    if (counted === null || counted.id !== id || counted.until <= now)
      counted = { id, until: now + COUNTED_MS, loads: await store.outstanding(tx, { env_id, broadcast_id: id }, minding) };
    return { loads: counted.loads, rooms };
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
      const sums = { queued: 0, skipped: 0 };
      if (recipients.length === 0) return sums;
      const ids = recipients.map(({ contact_id }) => contact_id);
      const reached = await messages.reach(tx, row.env_id, plan.account_ids, ids);
      const { loads, rooms } = await standingOf(tx, row, plan, reached);
      for (const [at, { contact_id: noted, variant }] of recipients.entries()) {
        const contact_id = await known(noted, reached[at]!);
        const made = contact_id === null ? { skipped: "merged" } : await one(reached[at]!, variant);
        const to = { ...key, contact_id: contact_id ?? noted };
        if ("until" in made) await store.putOff(tx, { ...to, due_at: made.until, reason: made.why });
        else if ("skipped" in made) {
          sums.skipped += 1;
          tally.note(variant, `skipped.${made.skipped}`);
          await store.settle(tx, { ...to, status: "skipped", account_id: null, message_id: null, reason: made.skipped });
        } else {
          sums.queued += 1;
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

      async function one(reaching: Reaching, variant: string): Promise<Made | Skipped | Later> {
        if (reaching.kind === "none") return { skipped: reaching.reason };
        const later = await laterOf(tx, row.env_id, plan, reaching);
        if (later !== null) return later;
        const way = chosen(reaching.ways, loads, rooms);
        const room = rooms.get(way.account_id);
        const refusal = refusalOf(way, room);
        if (refusal !== null) return { skipped: refusal };
        const busy = laterBy(way, loadOf(loads, way.account_id), room, plan.account_ids.length > 1, clock.now(row.env_id));
        if (busy !== null) return busy;
        const made = await make(tx, row, plan, variant, reaching.contact_id, way);
        if ("message_id" in made) addTo(loads, way);
        return made;
      }
    },
  };
}

/** The code of what a message was refused for. */
export function reasonOf({ code, details }: AppError): string {
  const field = details?.[0]?.field;
  if (code === "validation_error" && field === "variables") return "variable_missing";
  if (code === "validation_error" && field === "to") return "no_address";
  return code === "validation_error" ? "message_rejected" : code;
}
