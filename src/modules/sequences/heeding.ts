import type { Clock } from "#src/core/clock.ts";
import type { OutcomeCode } from "#src/core/outcomes.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Event } from "#src/modules/events/model.ts";
import type { Message } from "#src/modules/messages/model.ts";
import type { Ending } from "./ending.ts";
import type { EnrollmentRow, EnrollmentStore } from "./enrolled-sql.ts";
import type { Entrance } from "./enrolling.ts";
import { awaitedEvents, type Trigger, triggerEvents } from "./model.ts";
import type { Owning } from "./owning.ts";
import type { PlaceStore } from "./places-sql.ts";
import type { Programs } from "./program.ts";
import { type State, stateOf } from "./state.ts";
import { createTally, type Tally } from "./tally.ts";

/** A contact with one of these can't be reached by the account any more. */
const BLOCKED: ReadonlySet<OutcomeCode> = new Set([
  "recipient_blocked",
  "recipient_suppressed",
  "recipient_not_found",
  "recipient_not_started",
]);

/** What may matter to a contact in a sequence, or let them in. */
const heeded: ReadonlySet<string> = new Set([
  ...triggerEvents,
  ...awaitedEvents,
  ...["contact.deleted", "contact.merged", "contact.unmerged", "message.failed"],
]);

/** Events from which anything may follow. What was sent is counted, and nothing else. */
export const heededTypes: ReadonlySet<string> = new Set([...heeded, "message.sent"]);

/** Versions whose triggers are kept. */
const KNOWN_MAX = 10_000;

/** As much of what an event tells as sequences ask for. */
interface Told {
  id?: string | null;
  contact_id?: string | null;
  merged_id?: string;
  by_contact_id?: string | null;
  tags_added?: string[];
  tags_removed?: string[];
  start_payload?: string | null;
  origin?: Message["origin"];
  error?: { code: OutcomeCode } | null;
}

interface Needs {
  store: EnrollmentStore;
  places: Pick<PlaceStore, "active">;
  clock: Clock;
  programs: Programs;
  entrance: Entrance;
  end: Ending;
  owning: Pick<Owning, "merged" | "parted">;
  /** Something may be due now. */
  wake(): void;
}

/** Does with people in sequences what follows from an event; also lets them in, where it is a trigger. */
export function createHeeding({ store, places, clock, programs, entrance, end, owning, wake }: Needs) {
  /** Of versions, which never change: all that are active are asked for, and that may be more than programs are kept. */
  const known = new Map<string, readonly Trigger[]>();

  /** An enrollment that waits for this goes on, once it is resumed where it is paused. */
  function goOn(tx: Tx, row: EnrollmentRow, state: State, next: string | null): void {
    const now = clock.now(row.env_id);
    const turned = { ...row, step: next, waits_for: null, updated_at: now };
    if (state.held_why === undefined) store.update(tx, { ...turned, why: "due", due_at: clock.real(row.env_id, now) });
    else store.update(tx, { ...turned, state: JSON.stringify({ ...state, held_due_at: now, held_why: "due" }) });
    tx.afterCommit(wake);
  }

  async function heedOpen(tx: Tx, event: Event, told: Told, row: EnrollmentRow, at: number, tally: Tally): Promise<void> {
    const { env_id, sequence_id } = row;
    const program = await programs(tx, env_id, sequence_id, row.version);
    const { tags, blocked } = program.exit_on;
    const leave = (reason: string) => end(tx, row, { status: "exited", reason, takesBack: true }, sequence_id, tally);
    if (event.event === "contact.deleted") return void (await leave("contact_gone"));
    if (event.event === "contact.tagged" && told.tags_added?.some((tag) => tags.includes(tag)) === true)
      return void (await leave("tagged"));
    if (event.event === "message.failed" && blocked && isOf(told, row) && BLOCKED.has(told.error?.code as OutcomeCode))
      return void (await leave("blocked"));
    const step = row.step === null ? undefined : program.step(row.step);
    const state = stateOf(row);
    if ((state.held_why ?? row.why) !== "event" || row.waits_for !== event.event || at < (state.waits_since ?? 0)) return;
    if (step?.type === "wait" && "for_event" in step && isTag(step.for_event.tag, event, told)) goOn(tx, row, state, step.next);
  }

  const isOf = ({ origin }: Told, row: EnrollmentRow) => origin?.enrollment_id === row.id;

  /** What lets contacts in at this moment. */
  async function triggersOf(tx: Tx, env_id: number): Promise<{ id: string; triggers: readonly Trigger[] }[]> {
    const found: { id: string; triggers: readonly Trigger[] }[] = [];
    for (const { id, version } of await places.active(tx, env_id)) {
      const key = `${env_id} ${id} ${version}`;
      const triggers = known.get(key) ?? (await programs(tx, env_id, id, version)).triggers;
      if (!known.has(key) && known.size >= KNOWN_MAX) known.clear();
      known.set(key, triggers);
      if (triggers.length > 0) found.push({ id, triggers });
    }
    return found;
  }

  return async (tx: Tx, env_id: number, events: readonly { event: Event; at: number }[]): Promise<void> => {
    const tally = createTally(store);
    const sequences = events.some(({ event }) => heeded.has(event.event)) ? await triggersOf(tx, env_id) : [];
    for (const { event, at } of events) {
      const told = event.data as Told;
      const origin = told.origin ?? null;
      if (origin?.type === "sequence" && (event.event === "message.sent" || event.event === "message.failed"))
        tally.add(env_id, origin.id, origin.step ?? "", event.event === "message.sent" ? "sent" : "failed", at);
      const contact_id = told.by_contact_id ?? told.contact_id ?? (event.subject.startsWith("ct_") ? event.subject : null);
      if (contact_id === null || !heeded.has(event.event)) continue;
      if (event.event === "contact.merged") await owning.merged(tx, env_id, told.merged_id!, tally);
      if (event.event === "contact.unmerged") await owning.parted(tx, env_id, contact_id, tally);
      for (const row of await store.openOf(tx, env_id, [contact_id])) await heedOpen(tx, event, told, row, at, tally);
      for (const { id: sequence_id, triggers } of sequences)
        if (triggers.some((trigger) => isMet(trigger, event, told)))
          await entrance.enter(tx, { env_id, sequence_id, contact_id, actor: event.event, isLed: event.actor.startsWith("seq_") }, tally);
    }
    tally.write(tx);
  };
}

function isTag(tag: string | undefined, event: Event, told: Told): boolean {
  if (tag === undefined) return true;
  const tags = event.event === "contact.untagged" ? told.tags_removed : told.tags_added;
  return tags?.includes(tag) === true;
}

function isMet({ event: type, tag, start_payload }: Trigger, event: Event, told: Told): boolean {
  if (type !== event.event || !isTag(tag, event, told)) return false;
  return start_payload === undefined || told.start_payload === start_payload;
}
