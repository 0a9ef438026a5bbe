import type { Clock } from "#src/core/clock.ts";
import { AppError, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, decodeNumberCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import { mayUse, type Principal } from "#src/core/principal.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import { type Fault, faultAt, refuse } from "./faults.ts";
import { type Forms, readDefinition } from "./form.ts";
import {
  type Definition,
  type NewDefinition,
  type NewSequence,
  type Sequence,
  type SequenceCheck,
  type SequenceFilter,
  type SequencePatch,
  SEQUENCES_MAX,
  type SequenceStatus,
  type SequenceVersion,
  type Step,
} from "./model.ts";
import { auditedOf, briefOf, presentSequence, presentVersion } from "./present.ts";
import type { References } from "./references.ts";
import type { DefinedRow, SequenceStore } from "./store.ts";

/** What becomes of those in a sequence when something happens to it. */
export interface Enrollments {
  /** Nothing of the sequence is sent any more. */
  paused(tx: Tx, env_id: number, sequence_id: string): Maybe<void>;
  /** It goes on; what fell due meanwhile is done now. */
  resumed(tx: Tx, env_id: number, sequence_id: string): Maybe<void>;
  /** It ends for all who are in it: each is due, to be led out. */
  archived(tx: Tx, env_id: number, sequence_id: string): Maybe<void>;
  /** Those whose next step is one of these go on with this version. */
  moved(tx: Tx, env_id: number, sequence_id: string, version: number, steps: readonly string[]): Maybe<void>;
}

interface Needs extends Forms {
  store: SequenceStore;
  clock: Clock;
  references: References;
  enrollments: Enrollments;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** Who writes. */
type Author = Pick<Principal, "env_id" | "key_id" | "account_ids">;

export type SequenceService = ReturnType<typeof createSequenceService>;

/** Definitions of sequences. A changed one is a new version, and who is in the middle finishes on theirs. */
export function createSequenceService(needs: Needs) {
  const { store, clock, references, enrollments, appendEvent, audit } = needs;

  async function find(tx: Tx, env_id: number, id: string): Promise<DefinedRow> {
    const row = await store.lock(tx, env_id, id);
    if (row === undefined) throw notFound("sequence");
    return row;
  }

  async function naming(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (store.isDuplicate(error)) throw new AppError("conflict", `There is a sequence ${name} already.`);
      throw error;
    }
  }

  /**
   * @param demandsAll of a draft only the form is held against it, and what the key may not use
   * @throws AppError `validation_error` with all that is wrong
   */
  async function read(tx: Tx, author: Author, given: NewDefinition, demandsAll: boolean): Promise<Definition> {
    const { definition, faults } = readDefinition(given, needs);
    const steps = definition?.steps ?? [];
    await store.alone(tx, author.env_id);
    // A draft's too: files that it names are kept from now on.
    const absent = await references.check(tx, author.env_id, steps);
    refuse([...faults, ...foreignAccounts(author, steps), ...(demandsAll ? absent : [])]);
    return definition!;
  }

  async function keepVersion(tx: Tx, row: DefinedRow, actor: string, created_at: number): Promise<void> {
    const { env_id, id: sequence_id, version, definition } = row;
    await store.insertVersion(tx, { env_id, sequence_id, version, definition, actor, created_at });
  }

  function note(tx: Tx, { env_id, key_id }: Author, operation: string, before: DefinedRow | null, after: DefinedRow): void {
    const entry = { before: before === null ? null : auditedOf(before), after: auditedOf(after) };
    audit(tx, env_id, { actor: key_id, operation, subject: after.id, ...entry });
  }

  /** Changes the status of a sequence that has one of these; nothing when it has the new one already. */
  async function turn(
    tx: Tx,
    author: Author,
    id: string,
    { operation, from, to }: { operation: string; from: readonly SequenceStatus[]; to: SequenceStatus },
    check: Precondition,
    turning: (row: DefinedRow) => Maybe<void>,
  ): Promise<Sequence> {
    const before = await find(tx, author.env_id, id);
    check(presentSequence(before));
    if (before.status === to) return presentSequence(before);
    if (!from.includes(before.status as SequenceStatus))
      throw new AppError("conflict", tellWrongStatus(before.status as SequenceStatus, to));
    const after = { ...before, status: to, updated_at: clock.now(author.env_id) };
    await turning(after);
    await store.update(tx, after);
    note(tx, author, operation, before, after);
    return presentSequence(after);
  }

  /** What stands against letting contacts enter. */
  async function missing(tx: Tx, author: Author, { definition }: DefinedRow): Promise<Fault[]> {
    const { steps } = JSON.parse(definition) as Definition;
    await store.alone(tx, author.env_id);
    return [...foreignAccounts(author, steps), ...(await references.check(tx, author.env_id, steps))];
  }

  /** Files that a sequence names in any of its versions, and no other that is not archived in any of its. */
  async function filesOfItsOwn(tx: Tx, env_id: number, id: string): Promise<Set<string>> {
    await store.alone(tx, env_id);
    const own = new Set((await store.definitions(tx, env_id, id, FILE)).flatMap(filesIn));
    for (const file_id of own) if (await store.isNamedElsewhere(tx, env_id, id, file_id)) own.delete(file_id);
    return own;
  }

  function tell(tx: Tx, { env_id, key_id }: Author, type: "sequence.paused" | "sequence.resumed", row: DefinedRow): void {
    appendEvent(tx, env_id, { type, subject: row.id, actor: key_id, data: { sequence: briefOf(row), enrollment: null } });
  }

  return {
    /**
     * Makes a sequence, as a draft. It may name what is not here yet; `activate` demands that.
     * @throws AppError `validation_error` with all that is wrong with its form; `conflict` when the name is taken or there are too many
     */
    async create(tx: Tx, author: Author, ask: NewSequence): Promise<Sequence> {
      const { env_id, key_id } = author;
      const { name, metadata = {}, ...given } = ask;
      if ((await store.countAlone(tx, env_id)) >= SEQUENCES_MAX)
        throw new AppError("conflict", `There are at most ${SEQUENCES_MAX} sequences: archive one first.`);
      const definition = JSON.stringify(await read(tx, author, given, false));
      const now = clock.now(env_id);
      const row: DefinedRow = {
        ...{ env_id, id: newId("seq", now, env_id), name, status: "draft", version: 1, definition },
        ...{ metadata: JSON.stringify(metadata), created_at: now, updated_at: now },
      };
      await naming(name, () => store.insert(tx, row));
      await keepVersion(tx, row, key_id, now);
      note(tx, author, "sequences.create", null, row);
      return presentSequence(row);
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, id: string): Promise<Sequence> {
      const row = await store.get(env_id, id);
      if (row === undefined) throw notFound("sequence");
      return presentSequence(row);
    },

    /** Newest first. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(env_id: number, filter: SequenceFilter, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Sequence>> {
      const before = cursor === undefined ? null : decodeCursor("sequences", env_id, cursor);
      const [rows, count] = await Promise.all([store.page(env_id, filter, before, offset, limit + 1), store.count(env_id, filter)]);
      return toPage(rows, { list: "sequences", env_id, limit, offset }, count, presentSequence, (row) => row.id);
    },

    /** Every definition that a sequence has had, newest first. @throws AppError `not_found`; `validation_error` for a bad cursor */
    async versions(env_id: number, id: string, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<SequenceVersion>> {
      const { version: total } = await this.get(env_id, id);
      const list = `versions of ${id}`;
      const before = cursor === undefined ? null : decodeNumberCursor(list, env_id, cursor);
      const rows = await store.versionPage(env_id, id, before, offset, limit + 1);
      return toPage(rows, { list, env_id, limit, offset }, { total, capped: false }, presentVersion, (row) => String(row.version));
    },

    /**
     * Changes what is given. A definition that differs is a new version; those in the middle finish on theirs, unless
     * `move_enrolled` takes those along whose next step is in the new one too.
     * @throws AppError `not_found`; `validation_error` as `create`, and as `activate` once it is no draft any more; `conflict` for
     * one that is archived, or a name that is taken; what `check` throws
     */
    async patch(tx: Tx, author: Author, id: string, patch: SequencePatch, check: Precondition = unconditional): Promise<Sequence> {
      const { env_id, key_id } = author;
      const before = await find(tx, env_id, id);
      check(presentSequence(before));
      if (before.status === "archived") throw new AppError("conflict", "The sequence is archived, and stays as it is: make a new one.");
      const { name = before.name, metadata, move_enrolled = false, ...given } = patch;
      const row = { ...before, name, updated_at: clock.now(env_id) };
      if (metadata !== undefined) row.metadata = JSON.stringify(metadata);
      if (Object.keys(given).length > 0) {
        const present = JSON.parse(before.definition) as Definition;
        const definition = await read(tx, author, { ...present, ...given }, before.status !== "draft");
        if (!Bun.deepEquals(definition, present))
          Object.assign(row, { definition: JSON.stringify(definition), version: before.version + 1 });
      }
      await naming(name, () => store.update(tx, row));
      if (row.version !== before.version) await keepVersion(tx, row, key_id, row.updated_at);
      const ids = (JSON.parse(row.definition) as Definition).steps.map((step) => step.id);
      if (move_enrolled) await enrollments.moved(tx, env_id, id, row.version, ids);
      note(tx, author, "sequences.patch", before, row);
      return presentSequence(row);
    },

    /**
     * Lets contacts enter a draft from now on.
     * @throws AppError `not_found`; `validation_error` with all that it names and is not here; `conflict` for one that is paused or
     * archived; what `check` throws
     */
    activate: (tx: Tx, author: Author, id: string, check: Precondition = unconditional): Promise<Sequence> =>
      turn(tx, author, id, { operation: "sequences.activate", from: ["draft"], to: "active" }, check, async (row) =>
        refuse(await missing(tx, author, row)),
      ),

    /** Nobody enters any more, and nothing is sent until it is resumed. @throws AppError `not_found`, `conflict`; what `check` throws */
    pause: (tx: Tx, author: Author, id: string, check: Precondition = unconditional): Promise<Sequence> =>
      turn(tx, author, id, { operation: "sequences.pause", from: ["active"], to: "paused" }, check, async (row) => {
        await enrollments.paused(tx, author.env_id, id);
        tell(tx, author, "sequence.paused", row);
      }),

    /** Goes on; what fell due meanwhile is done now. @throws AppError as `activate` */
    resume: (tx: Tx, author: Author, id: string, check: Precondition = unconditional): Promise<Sequence> =>
      turn(tx, author, id, { operation: "sequences.resume", from: ["paused"], to: "active" }, check, async (row) => {
        refuse(await missing(tx, author, row));
        await enrollments.resumed(tx, author.env_id, id);
        tell(tx, author, "sequence.resumed", row);
      }),

    /** Ends it for good: all who are in it leave, and its name is free. @throws AppError `not_found`; what `check` throws */
    archive: (tx: Tx, author: Author, id: string, check: Precondition = unconditional): Promise<Sequence> =>
      turn(tx, author, id, { operation: "sequences.archive", from: ["draft", "active", "paused"], to: "archived" }, check, async () => {
        await enrollments.archived(tx, author.env_id, id);
        await references.letGo(tx, author.env_id, await filesOfItsOwn(tx, author.env_id, id));
      }),

    /** What `activate` would refuse it for. @throws AppError `not_found` */
    async check(tx: Tx, author: Author, id: string): Promise<SequenceCheck> {
      const faults = await missing(tx, author, await find(tx, author.env_id, id));
      return { valid: faults.length === 0, faults };
    },
  };
}

/** How the id of a file begins in a definition. */
const FILE = '"file_id":"fil_';

function filesIn(definition: string): string[] {
  const { steps } = JSON.parse(definition) as Definition;
  return steps.flatMap((step) => (step.type === "send" ? (step.attachments ?? []).flatMap(({ file_id }) => file_id ?? []) : []));
}

/** Accounts that a key bound to others doesn't know of. */
function foreignAccounts(author: Author, steps: readonly Step[]): Fault[] {
  return steps.flatMap((step, at) => {
    if (step.type !== "send") return [];
    const pool = (step.account_ids ?? []).map((id, index) => ({ id, path: `account_ids.${index}` }));
    const single = step.account_id === undefined ? [] : [{ id: step.account_id, path: "account_id" }];
    return [...single, ...pool]
      .filter(({ id }) => !mayUse(author, id))
      .map(({ id, path }) => faultAt(`steps.${at}.${path}`, "not_found", "There is no such account for this key: name another.", id));
  });
}

function tellWrongStatus(status: SequenceStatus, to: SequenceStatus): string {
  if (status === "archived") return "The sequence is archived, and stays as it is: make a new one.";
  if (status === "paused") return "The sequence is paused: resume it.";
  return `The sequence is a draft, and can't be ${to === "active" ? "resumed" : to}: activate it first.`;
}
