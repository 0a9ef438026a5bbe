import { AppError } from "#src/core/errors.ts";
import type { Clock } from "#src/core/clock.ts";
import { zoneOf } from "#src/core/contact-zone.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import { branchOf, partOf, type Segments } from "./branching.ts";
import type { End, Ending } from "./ending.ts";
import type { EnrollmentRow, EnrollmentStore } from "./enrolled-sql.ts";
import type { AwaitedEvent, SendStep, Step, WaitStep } from "./model.ts";
import type { Owning } from "./owning.ts";
import type { PlaceStore } from "./places-sql.ts";
import type { Program, Programs } from "./program.ts";
import { createSending, isUnreachable, type Sender } from "./sending.ts";
import { type State, stateOf } from "./state.ts";
import { createTally, type Tally } from "./tally.ts";
import type { Telling } from "./telling.ts";
import { endOfWait } from "./waiting.ts";

/** Steps of one enrollment that are done in one go; what is left is due again at once. */
const STEPS_MAX = 50;
/** Whoever comes so late is still on time: what follows is reckoned from when it was due, so that times do not drift. */
const ON_TIME_MS = 60_000;
/** A step that can't be done, for a fault of ours, is tried so often. */
const FAULTS_MAX = 5;
const FAULT_MS = 10_000;
/** An event that came in time may still have to be heeded: then who waits for it waits so much longer. */
const UNHEEDED_MS = 1_000;

/** The verbs that the engine uses of contacts. */
export interface People {
  /** A contact, or who it is part of by now; undefined where there is none. */
  find(tx: Tx, env_id: number, contact_id: string): Promise<Contact | undefined>;
  tag(tx: Tx, env_id: number, actor: string, contact: Contact, tag: string): Promise<void>;
  untag(tx: Tx, env_id: number, actor: string, contact: Contact, tag: string): Promise<void>;
  /** @param sequence_id who gives the points */
  score(tx: Tx, env_id: number, sequence_id: string, contact_id: string, points: number): Promise<void>;
  /** @throws AppError `validation_error` */
  setField(tx: Tx, env_id: number, actor: string, contact: Contact, field: string, value: unknown): Promise<void>;
}

interface Needs {
  store: EnrollmentStore;
  clock: Clock;
  programs: Programs;
  people: People;
  segments: Segments;
  sender: Sender;
  telling: Telling;
  end: Ending;
  owning: Pick<Owning, "give">;
  places: Pick<PlaceStore, "unheededSince">;
  /** Goes by the time that an environment has on disk: another copy may have moved it. */
  heed(tx: Tx, env_id: number): Maybe<void>;
  /** Lets a contact enter another sequence, unless its rules are against it. */
  enter(tx: Tx, env_id: number, sequence_id: string, contact_id: string, actor: string, tally: Tally): Promise<void>;
}

/** One enrollment while the engine has it. */
interface Turn {
  row: EnrollmentRow;
  state: State;
  program: Program;
  contact: Contact;
  zone: string;
  /** The environment's time (ms). */
  now: number;
  /** As that, or when the step was due, where that is just past: from then waits are reckoned. */
  at: number;
  tally: Tally;
  unheededSince: UnheededSince;
}

/** When the first event of a type happened (ms) that was not heeded yet, as far as is asked once a transaction. */
type UnheededSince = (env_id: number, type: string) => Promise<number | null>;

type Turned =
  | { kind: "go"; next: string | null; message_id?: string }
  | { kind: "wait"; until: number; why: string; waits_for?: AwaitedEvent; isBegun?: true }
  | { kind: "end"; end: End };

/** Leads people through sequences: does the steps that are due, each in the transaction that says what comes after it. */
export function createEngine(needs: Needs) {
  const { store, clock, programs, people, segments, sender, telling, end, owning } = needs;
  const sending = createSending({ store, sender });

  async function send(tx: Tx, turn: Turn, step: SendStep): Promise<Turned> {
    const { row, state, program, zone, now, at } = turn;
    const late = await sending.putOff(tx, row, program, zone, now);
    if (late !== null && late.until === null) return { kind: "end", end: { status: "failed", reason: "window_never_opens" } };
    if (late !== null) return { kind: "wait", until: late.until!, why: late.why };
    const sent = await sending.send(tx, row, step, state.account_id);
    if (sent.kind === "refused") {
      turn.tally.add(row.env_id, row.sequence_id, step.id, "failed", at);
      return { kind: "end", end: { status: isUnreachable(sent.reason) ? "exited" : "failed", reason: sent.reason } };
    }
    Object.assign(state, { account_id: sent.account_id, sent_step: step.id });
    return { kind: "go", next: step.next, message_id: sent.message_id };
  }

  /** Whether an event of the type that it waits for came ahead of its time, and was not heeded yet. */
  async function isUnheeded({ row: { env_id, waits_for, due_at }, unheededSince }: Turn): Promise<boolean> {
    const since = waits_for === null ? null : await unheededSince(env_id, waits_for);
    return since !== null && since <= clock.seen(env_id, due_at!);
  }

  async function wait(turn: Turn, step: WaitStep): Promise<Turned> {
    const { row, state, zone, contact, now, at } = turn;
    const isAwaiting = "for_event" in step;
    if (row.why === "event" && (await isUnheeded(turn)))
      return { kind: "wait", until: now + UNHEEDED_MS, why: "event", waits_for: row.waits_for as AwaitedEvent };
    if (row.why === "wait" || row.why === "event") return { kind: "go", next: isAwaiting ? step.on_timeout : step.next };
    const until = endOfWait(step, at, zone, contact);
    if (until <= at) return { kind: "go", next: step.next };
    if (isAwaiting) state.waits_since = clock.now(row.env_id);
    return isAwaiting
      ? { kind: "wait", until, why: "event", waits_for: step.for_event.event, isBegun: true }
      : { kind: "wait", until, why: "wait", isBegun: true };
  }

  async function perform(tx: Tx, turn: Turn, step: Step): Promise<Turned> {
    const { row, state, contact, at } = turn;
    const { env_id, sequence_id } = row;
    const act = [tx, env_id, sequence_id, contact] as const;
    switch (step.type) {
      case "send":
        return send(tx, turn, step);
      case "wait":
        return wait(turn, step);
      case "branch":
        return { kind: "go", next: await branchOf(segments, tx, env_id, contact.id, step, state) };
      case "split":
        return { kind: "go", next: partOf(step, sequence_id, contact.id) };
      case "tag":
        await people.tag(...act, step.tag);
        break;
      case "untag":
        await people.untag(...act, step.tag);
        break;
      case "set_field":
        try {
          await people.setField(...act, step.field, step.value);
        } catch (error) {
          // The field was changed or deleted since the sequence was checked; nothing was written.
          if (!(error instanceof AppError) || error.code === "unavailable") throw error;
          return { kind: "end", end: { status: "failed", reason: `field_${error.details?.[0]?.error ?? error.code}` } };
        }
        break;
      case "score":
        await people.score(tx, env_id, sequence_id, contact.id, step.points);
        break;
      case "webhook":
        telling.asked(tx, row, step, contact);
        break;
      case "enroll":
        await needs.enter(tx, env_id, step.sequence_id, contact.id, sequence_id, turn.tally);
        break;
      case "goal":
        if (state.converted_at === undefined) {
          state.converted_at = at;
          turn.tally.add(env_id, sequence_id, step.id, "converted", at);
        }
        break;
      case "exit":
        return { kind: "end", end: { status: "exited", reason: "exit_step" } };
      default:
        return step satisfies never;
    }
    if (step.type !== "goal" && step.type !== "enroll" && step.type !== "webhook")
      turn.contact = (await people.find(tx, env_id, contact.id))!;
    return { kind: "go", next: step.next };
  }

  function askOnce(tx: Tx): UnheededSince {
    const asked = new Map<string, Promise<number | null>>();
    return (env_id, type) => {
      const key = `${env_id} ${type}`;
      const since = asked.get(key) ?? needs.places.unheededSince(tx, env_id, [type]);
      asked.set(key, since);
      return since;
    };
  }

  /** Does what is due of one enrollment, up to where it waits or ends. */
  async function advance(
    tx: Tx,
    given: EnrollmentRow,
    now: number,
    { tally, unheededSince }: Pick<Turn, "tally" | "unheededSince">,
  ): Promise<void> {
    const { env_id, sequence_id } = given;
    if (given.why === "archived")
      return void (await end(tx, given, { status: "exited", reason: "archived", takesBack: true }, sequence_id, tally));
    const owned = await owning.give(tx, given, tally);
    if (owned === null) return;
    const { owner: contact } = owned;
    const row = { ...owned.row };
    const program = await programs(tx, env_id, sequence_id, row.version);
    const due_at = row.due_at!;
    // What is done at last has no faults any more.
    const { faults: _over, ...state } = stateOf(row);
    const at = clock.seen(env_id, now - due_at < ON_TIME_MS ? due_at : now);
    const zone = zoneOf(contact, program.timezone ?? "UTC");
    const turn: Turn = { row, state, program, contact, zone, now: clock.seen(env_id, now), at, tally, unheededSince };
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      const step = row.step === null ? undefined : program.step(row.step);
      if (step === undefined) {
        row.state = JSON.stringify(turn.state);
        return void (await end(tx, row, { status: "completed", reason: "completed" }, sequence_id, tally));
      }
      const isNew = row.why === "due";
      if (isNew) tally.add(env_id, sequence_id, step.id, "reached", at);
      const turned = await perform(tx, turn, step);
      row.state = JSON.stringify(turn.state);
      if (turned.kind === "end") return void (await end(tx, row, turned.end, sequence_id, tally));
      if (turned.kind === "wait") {
        if (turned.isBegun === true) telling.stepped(tx, row, step, null);
        return keep(tx, row, clock.real(env_id, turned.until), turned.why, turned.waits_for ?? null);
      }
      if (step.type !== "wait" || isNew) telling.stepped(tx, row, step, turned.message_id ?? null);
      Object.assign(row, { step: turned.next, why: "due", waits_for: null });
    }
    keep(tx, row, now, "due", null);
  }

  function keep(tx: Tx, row: EnrollmentRow, due_at: number, why: string, waits_for: string | null): void {
    store.update(tx, { ...row, due_at, why, waits_for, updated_at: clock.now(row.env_id) });
  }

  return {
    nextAt: () => store.nextDue(),

    async perform(tx: Tx, now: number, most: number): Promise<number> {
      const rows = await store.due(tx, now, most);
      for (const env_id of new Set(rows.map((row) => row.env_id))) await needs.heed(tx, env_id);
      const tally = createTally(store);
      const unheededSince = askOnce(tx);
      for (const row of rows) await advance(tx, row, now, { tally, unheededSince });
      tally.write(tx);
      return rows.length;
    },

    async setAside(tx: Tx, now: number): Promise<void> {
      const [row] = await store.due(tx, now, 1);
      if (row === undefined) return;
      const state = stateOf(row);
      const faults = (state.faults ?? 0) + 1;
      const tally = createTally(store);
      const tried = { ...row, state: JSON.stringify({ ...state, faults }) };
      if (faults < FAULTS_MAX) keep(tx, tried, now + FAULT_MS * 2 ** faults, row.why, row.waits_for);
      else await end(tx, tried, { status: "failed", reason: "internal_error" }, row.sequence_id, tally);
      tally.write(tx);
    },
  };
}
