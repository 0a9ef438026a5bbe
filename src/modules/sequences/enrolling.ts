import { type Clock, toTime } from "#src/core/clock.ts";
import { zoneOf } from "#src/core/contact-zone.ts";
import { addDuration } from "#src/core/duration.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { newId } from "#src/core/ids.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { EnrollmentRow, EnrollmentStore, SequenceRow } from "./enrolled-sql.ts";
import type { Programs } from "./program.ts";
import type { Tally } from "./tally.ts";
import type { Telling } from "./telling.ts";

/** Sequences could let a contact into one another without end: not within this time of having left one. */
const AGAIN_MS_MIN = 60_000;

interface Needs {
  store: EnrollmentStore;
  clock: Clock;
  programs: Programs;
  people: { find(tx: Tx, env_id: number, contact_id: string): Promise<Contact | undefined> };
  telling: Telling;
  /** Something may be due now. */
  wake(): void;
}

/** Who is to enter what. */
export interface Entry {
  env_id: number;
  sequence_id: string;
  contact_id: string;
  /** The step to begin with; the first without it. */
  start_at?: string | undefined;
  /** Who asks: a key, another sequence, a trigger. */
  actor: string;
  /** A sequence lets them in, or what one has done to them. */
  isLed?: boolean;
}

/** Why somebody does not enter: a stable code, and what to tell. */
export interface Refusal {
  reason: "in_it_already" | "was_in_it" | "too_soon" | "not_active" | "contact_gone";
  message: string;
  enrollment_id: string | null;
}

export type Entered = { row: EnrollmentRow } | { refusal: Refusal };

/** Lets contacts into sequences. */
export function createEntrance({ store, clock, programs, people, telling, wake }: Needs) {
  async function refusalOf(tx: Tx, sequence: SequenceRow, contact_id: string, zone: string, isLed: boolean): Promise<Refusal | null> {
    const { env_id, id } = sequence;
    const last = await store.last(tx, env_id, contact_id, id);
    if (last === undefined) return null;
    const about = { enrollment_id: last.id };
    if (last.status === "active" || last.status === "paused")
      return { reason: "in_it_already", message: "The contact is in this sequence already.", ...about };
    const { reentry } = await programs(tx, env_id, id, sequence.version);
    if (reentry.rule === "never")
      return { reason: "was_in_it", message: "The contact was in this sequence, which is entered once.", ...about };
    const ended_at = last.ended_at!;
    const ruled = reentry.rule === "always" ? ended_at : addDuration(ended_at, reentry.after!, zone);
    const again = isLed ? Math.max(ruled, ended_at + AGAIN_MS_MIN) : ruled;
    if (again <= clock.now(env_id)) return null;
    return { reason: "too_soon", message: `The contact can enter this sequence again at ${toTime(again)}.`, ...about };
  }

  /**
   * Lets a contact in, or says why not.
   * @throws AppError `not_found` for a sequence that is not here, `validation_error` on `start_at`
   */
  async function enter(tx: Tx, entry: Entry, tally: Tally): Promise<Entered> {
    const { env_id, sequence_id, contact_id, start_at, actor } = entry;
    const sequence = await store.held(tx, env_id, sequence_id);
    if (sequence === undefined) throw notFound("sequence");
    if (sequence.status !== "active") {
      const message = `The sequence is ${sequence.status === "draft" ? "a draft" : sequence.status}: only an active one can be entered.`;
      return { refusal: { reason: "not_active", message, enrollment_id: null } };
    }
    const contact = await people.find(tx, env_id, contact_id);
    if (contact === undefined)
      return { refusal: { reason: "contact_gone", message: "There is no such contact here.", enrollment_id: null } };
    const program = await programs(tx, env_id, sequence_id, sequence.version);
    if (start_at !== undefined && program.step(start_at) === undefined)
      throw invalidField("start_at", "not_found", "The sequence has no step of this id.", start_at);
    const refusal = await refusalOf(tx, sequence, contact.id, zoneOf(contact, program.timezone), entry.isLed === true);
    if (refusal !== null) return { refusal };
    const now = clock.now(env_id);
    const row: EnrollmentRow = {
      ...{ env_id, id: newId("enr", now, env_id), sequence_id, version: sequence.version, contact_id: contact.id, status: "active" },
      step: start_at ?? program.first,
      ...{ due_at: clock.real(env_id, now), why: "due", waits_for: null, state: "{}" },
      ...{ actor, reason: null, entered_at: now, ended_at: null, updated_at: now },
    };
    // Who came first is found by looking again.
    if (!(await store.insert(tx, row))) return enter(tx, entry, tally);
    tally.add(env_id, sequence_id, "", "entered", now);
    await telling.changed(tx, "sequence.started", row, actor);
    tx.afterCommit(wake);
    return { row };
  }

  return {
    enter,
    /** As `enter`. @throws AppError also `conflict` where the contact does not get in, `not_found` for a contact that is not here */
    async demand(tx: Tx, entry: Entry, tally: Tally): Promise<EnrollmentRow> {
      const entered = await enter(tx, entry, tally);
      if ("row" in entered) return entered.row;
      const { reason, message, enrollment_id } = entered.refusal;
      if (reason === "contact_gone") throw notFound("contact");
      throw new AppError("conflict", message, { members: { reason, ...(enrollment_id === null ? {} : { enrollment_id }) } });
    },
  };
}

export type Entrance = ReturnType<typeof createEntrance>;
