import type { Clock } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Principal } from "#src/core/principal.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewTask, Task } from "#src/modules/tasks/model.ts";
import { type Audience, ENROLL_TASK, type EnrollParams, readAudience } from "./enroll-kind.ts";
import type { EnrollmentRow, EnrollmentStore, SequenceRow } from "./enrolled-sql.ts";
import type { Ending } from "./ending.ts";
import type { Entrance } from "./enrolling.ts";
import type { Enroll, Enrollment, EnrollmentFilter, Move, Unenroll } from "./model.ts";
import type { Programs } from "./program.ts";
import { presentEnrollment, stateOf } from "./state.ts";
import { createTally, type Tally } from "./tally.ts";
import type { Telling } from "./telling.ts";

interface Needs {
  store: EnrollmentStore;
  clock: Clock;
  programs: Programs;
  entrance: Entrance;
  end: Ending;
  telling: Telling;
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
  /** @throws AppError `validation_error` for a segment that is not here, or a filter that is wrong */
  checkAudience(tx: Tx, env_id: number, audience: Audience): Promise<void>;
  /** Something may be due now. */
  wake(): void;
}

type Author = Pick<Principal, "env_id" | "key_id">;
/** Of a request: the sequence, and the enrollment in it. */
interface Ref {
  id: string;
  enrollment_id: string;
}

export type EnrollmentService = ReturnType<typeof createEnrollmentService>;

/** People in sequences, as requests put them there, look at them and move them on. */
export function createEnrollmentService(needs: Needs) {
  const { store, clock, programs, entrance, end, telling, wake } = needs;
  const present = (row: EnrollmentRow) => presentEnrollment(row, (at) => clock.seen(row.env_id, at));

  async function demandSequence(tx: Tx | null, env_id: number, id: string) {
    const sequence = await store.sequence(tx, env_id, id);
    if (sequence === undefined) throw notFound("sequence");
    return sequence;
  }

  /** Changes one that has not ended; its sequence is neither paused nor archived meanwhile. @throws AppError `not_found`, `conflict`; what `check` throws */
  async function change(
    tx: Tx,
    { env_id, key_id }: Author,
    { id, enrollment_id }: Ref,
    check: Precondition,
    turn: (row: EnrollmentRow, tally: Tally, sequence: SequenceRow) => Promise<EnrollmentRow>,
  ): Promise<Enrollment> {
    const sequence = await store.held(tx, env_id, id);
    if (sequence === undefined) throw notFound("sequence");
    const row = await store.get(tx, env_id, id, enrollment_id);
    if (row === undefined) throw notFound("enrollment");
    check(present(row));
    if (row.status !== "active" && row.status !== "paused")
      throw new AppError("conflict", `The enrollment has ended: it is ${row.status}. Enroll the contact again.`);
    if (row.why === "archived") throw new AppError("conflict", "The sequence is archived: all who are in it leave.");
    const tally = createTally(store);
    const after = await turn(row, tally, sequence);
    tally.write(tx);
    if (after.due_at !== null) tx.afterCommit(wake);
    if (after.status !== row.status && after.status !== "exited")
      await telling.changed(tx, after.status === "paused" ? "sequence.paused" : "sequence.resumed", after, key_id);
    return present(after);
  }

  /** As it is kept with what is new; who is paused goes on with it when they are resumed. */
  async function keep(tx: Tx, row: EnrollmentRow, to: Pick<EnrollmentRow, "step" | "version">): Promise<EnrollmentRow> {
    const now = clock.now(row.env_id);
    const { held_due_at, ...state } = stateOf(row);
    const isHeld = held_due_at !== undefined;
    const when = isHeld ? { due_at: null, why: row.why } : { due_at: clock.real(row.env_id, now), why: "due" };
    const kept = isHeld ? { ...state, held_due_at: now, held_why: "due" } : state;
    const after = { ...row, ...to, ...when, waits_for: null, state: JSON.stringify(kept), updated_at: now };
    store.update(tx, after);
    return after;
  }

  return {
    /**
     * Lets a contact in.
     * @throws AppError `not_found` (the sequence or the contact), `validation_error` on `start_at`, `conflict` where its rules are against it
     */
    async enroll(
      tx: Tx,
      { env_id, key_id }: Author,
      sequence_id: string,
      ask: { contact_id: string; start_at?: string },
    ): Promise<Enrollment> {
      await demandSequence(tx, env_id, sequence_id);
      const tally = createTally(store);
      const row = await entrance.demand(
        tx,
        { env_id, sequence_id, actor: key_id, contact_id: ask.contact_id, start_at: ask.start_at },
        tally,
      );
      tally.write(tx);
      return present(row);
    },

    /** Lets many in, by a job. @param ask with one audience @throws AppError `not_found`, `conflict` for a sequence that is not active, `validation_error` */
    async enrollMany(tx: Tx, { env_id, key_id }: Author, sequence_id: string, ask: Omit<Enroll, "contact_id">): Promise<Task> {
      const { start_at } = ask;
      const audience = readAudience(ask);
      const sequence = await demandSequence(tx, env_id, sequence_id);
      if (sequence.status !== "active")
        throw new AppError(
          "conflict",
          `The sequence is ${sequence.status === "draft" ? "a draft" : sequence.status}: only an active one can be entered.`,
        );
      const program = await programs(tx, env_id, sequence_id, sequence.version);
      if (start_at !== undefined && program.step(start_at) === undefined)
        throw invalidField("start_at", "not_found", "The sequence has no step of this id.", start_at);
      await needs.checkAudience(tx, env_id, audience);
      const params: EnrollParams = { sequence_id, audience, start_at: start_at ?? null, actor: key_id };
      const scopes = { read: "manage:sequences", write: "manage:sequences" } as const;
      return needs.createTask(tx, env_id, { kind: ENROLL_TASK, scopes, params, total: null });
    },

    /** Newest first. @throws AppError `not_found`, `validation_error` for a bad cursor */
    async list(
      env_id: number,
      id: string,
      by: EnrollmentFilter,
      { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery,
    ): Promise<Page<Enrollment>> {
      await demandSequence(null, env_id, id);
      const list = `enrollments of ${id}`;
      const before = cursor === undefined ? null : decodeCursor(list, env_id, cursor);
      const [rows, count] = await Promise.all([store.page(env_id, id, by, before, offset, limit + 1), store.countAll(env_id, id, by)]);
      return toPage(rows, { list, env_id, limit, offset }, count, present, (row) => row.id);
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, { id, enrollment_id }: Ref): Promise<Enrollment> {
      const row = await store.get(null, env_id, id, enrollment_id);
      if (row === undefined) throw notFound("enrollment");
      return present(row);
    },

    /** Takes a contact out. @throws AppError `not_found`, `conflict` for one that has ended; what `check` throws */
    unenroll: (tx: Tx, author: Author, ref: Ref, { reason }: Unenroll, check: Precondition = unconditional): Promise<Enrollment> =>
      change(tx, author, ref, check, (row, tally) =>
        end(tx, row, { status: "exited", reason: reason ?? "unenrolled", takesBack: true }, author.key_id, tally),
      ),

    /** Nothing more happens to it until it is resumed. @throws AppError as `unenroll` */
    pause: (tx: Tx, author: Author, ref: Ref, check: Precondition = unconditional): Promise<Enrollment> =>
      change(tx, author, ref, check, async (row) => {
        if (row.status === "paused") return row;
        const { env_id } = row;
        const state = stateOf(row);
        const due = row.due_at === null ? {} : { held_due_at: clock.seen(env_id, row.due_at), held_why: row.why };
        const paused = { status: "paused", due_at: null, why: "paused", updated_at: clock.now(env_id) };
        const after = { ...row, ...paused, state: JSON.stringify({ ...state, ...due }) };
        store.update(tx, after);
        return after;
      }),

    /** It goes on, with its sequence where that is paused; what fell due meanwhile is done now. @throws AppError as `unenroll` */
    resume: (tx: Tx, author: Author, ref: Ref, check: Precondition = unconditional): Promise<Enrollment> =>
      change(tx, author, ref, check, async (row, _tally, sequence) => {
        const { env_id } = row;
        if (row.status === "active") return row;
        const now = clock.now(env_id);
        const { held_due_at = now, held_why = "due", ...state } = stateOf(row);
        const isHeld = sequence.status === "paused";
        const after: EnrollmentRow = {
          ...{ ...row, status: "active", updated_at: now },
          due_at: isHeld ? null : clock.real(env_id, Math.max(now, held_due_at)),
          why: isHeld ? "sequence_paused" : held_why,
          state: JSON.stringify(isHeld ? { ...state, held_due_at, held_why } : state),
        };
        store.update(tx, after);
        return after;
      }),

    /** Passes over the step that comes next, or that it waits in. @throws AppError as `unenroll`, `conflict` also for a step that parts */
    skip: (tx: Tx, author: Author, ref: Ref, check: Precondition = unconditional): Promise<Enrollment> =>
      change(tx, author, ref, check, async (row) => {
        const program = await programs(tx, row.env_id, row.sequence_id, row.version);
        const step = row.step === null ? undefined : program.step(row.step);
        if (step === undefined || !("next" in step))
          throw new AppError("conflict", "This step leads to more than one, or ends: say with move where the enrollment is to go on.");
        return keep(tx, row, { step: step.next, version: row.version });
      }),

    /** Goes on with a step, of another version too. @throws AppError as `unenroll`, `validation_error` on `version` or `step` */
    move: (tx: Tx, author: Author, ref: Ref, { version, step }: Move, check: Precondition = unconditional): Promise<Enrollment> =>
      change(tx, author, ref, check, async (row, _tally, sequence) => {
        const to = version ?? row.version;
        if (to > sequence.version) throw invalidField("version", "not_found", `The newest version is ${sequence.version}.`, version);
        const target = step ?? row.step;
        const program = await programs(tx, row.env_id, row.sequence_id, to);
        if (target === null || program.step(target) === undefined)
          throw invalidField("step", "not_found", `Version ${to} has no step of this id.`, step);
        if (step !== undefined) return keep(tx, row, { step, version: to });
        const after = { ...row, version: to, updated_at: clock.now(row.env_id) };
        store.update(tx, after);
        return after;
      }),
  };
}
