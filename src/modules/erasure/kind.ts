import type { Clock } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import { pause } from "#src/core/pause.ts";
import type { Tx } from "#src/core/tx.ts";
import type { RunningTask, Step, TaskKind } from "#src/modules/tasks/model.ts";
import { answering, emptiedAnswer } from "./answering.ts";
import { emptiedMessage, ERASED } from "./emptied.ts";
import type { ErasureParams } from "./model.ts";
import { mergeSpans, spansOf } from "./spans.ts";
import type { ErasureStore, Kept, MessageRow } from "./store.ts";
import { createToldErasure } from "./told.ts";
import type { Counts, Person, State, Turn } from "./turn.ts";

export const ERASE_TASK = "contacts.erase";

/** Rows of a step, so that requests wait for none longer than a few milliseconds. */
const MESSAGES_MAX = 20;
const ROWS_MAX = 50;
/** Kept answers that are looked through at a time, beside the main thread. */
const ANSWERS_MAX = 2_000;
/** What is on the wire is waited for: longer than a lane's lease, after which another copy settles it. */
const WAIT_MS = 500;
const WAITS_MAX = 240;

/** Between two contacts. */
const nobody = { contact_id: null, phase: "messages", operation: 0, place: "" } as const;

type Task = RunningTask<ErasureParams, State>;

/** The verbs that an erasure uses of merges: see there. */
interface Merges {
  innermost(env_id: number, contact_id: string): Promise<string>;
  survivorOf(env_id: number, contact_id: string): Promise<string | null>;
  settleSome(tx: Tx, env_id: number, contact_id: string): Promise<boolean>;
  adopt(tx: Tx, env_id: number, contact_id: string, message_ids: readonly string[]): Promise<void>;
  lapseSome(tx: Tx, env_id: number, contact_id: string): Promise<boolean>;
  forgetSome(tx: Tx, env_id: number, contact_id: string): Promise<boolean>;
}

/** The verbs that an erasure uses of lead scoring. */
interface Points {
  /** Removes what a contact has got. */
  forgetContact(tx: Tx, env_id: number, contact_row: number): Promise<void>;
  /** Gives it to another contact. */
  handOn(tx: Tx, env_id: number, from_row: number, to_row: number): Promise<void>;
}

interface Needs {
  store: ErasureStore;
  clock: Clock;
  merges: Merges;
  /** Takes a queued message back. @throws AppError `conflict` when it has begun to leave */
  cancelMessage(tx: Tx, env_id: number, id: string): Promise<unknown>;
  points: Points;
  /** Removes what imports have noted of a contact. */
  forgetImports(tx: Tx, env_id: number, contact_id: string): Promise<void>;
  /** What receivers of these events have answered can hold what they were told. */
  forgetResponses(tx: Tx, env_id: number, event_ids: readonly string[]): Promise<void>;
  /** Removes the files that came with a message. @param content of the message */
  forgetFiles(tx: Tx, env_id: number, content: string): Promise<void>;
}

/** Removes everything personal of deleted contacts; of their messages the rows stay, for the counts. */
export function eraseKind({
  store,
  clock,
  merges,
  cancelMessage,
  points,
  forgetImports,
  forgetResponses,
  forgetFiles,
}: Needs): TaskKind<ErasureParams, State, Turn> {
  const told = createToldErasure({ store, forgetResponses });

  /** Addresses that somebody else has by now are that person's. */
  async function addressesOf({ env_id, telegram_id, username, phone }: Person): Promise<string[]> {
    const own: string[] = [];
    if (telegram_id !== null && !(await store.isTaken(env_id, "telegram_id", telegram_id))) own.push(String(telegram_id));
    if (username !== null && !(await store.isTaken(env_id, "username", username))) own.push(`@${username}`);
    if (phone !== null && !(await store.isTaken(env_id, "phone", phone))) own.push(phone);
    return own;
  }

  async function messagesLeft({ env_id, id }: Person, addresses: readonly string[]): Promise<MessageRow[]> {
    const rows = await store.messagesOf(env_id, id, MESSAGES_MAX);
    for (const address of addresses)
      if (rows.length < MESSAGES_MAX) rows.push(...(await store.messagesTo(env_id, address, MESSAGES_MAX - rows.length)));
    return rows;
  }

  async function withFiles(tx: Tx, { env_id, direction, content }: MessageRow): Promise<1> {
    if (direction === "in" && content !== null) await forgetFiles(tx, env_id, content);
    return 1;
  }

  async function isCanceled(tx: Tx, env_id: number, id: string): Promise<boolean> {
    try {
      await cancelMessage(tx, env_id, id);
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === "conflict") return false;
      throw error;
    }
  }

  /** Each message that was emptied is found no more, so there is no place to remember. */
  async function eraseMessages(contact: Person, state: State, signal: AbortSignal): Promise<Turn> {
    if (state.waits > 0) await pause(clock, WAIT_MS, signal);
    const { env_id } = contact;
    const rows = await messagesLeft(contact, await addressesOf(contact));
    if (rows.length === 0) return () => ({ ...state, phase: "events", place: "", waits: 0 });
    const queued = rows.filter(({ status }) => status === "queued");
    const settled = rows.filter(({ status }) => status !== "queued" && status !== "sending");
    const events: Kept[] = [];
    const subjects = settled.map(({ id }) => id);
    const threads = [...new Set(settled.flatMap(({ thread_id }) => thread_id ?? []))];
    for (const span of mergeSpans(settled.flatMap(spansOf))) events.push(...(await store.eventsWithin(env_id, subjects, span)));
    return async (tx) => {
      let canceled = 0;
      for (const { id } of queued) if (await isCanceled(tx, env_id, id)) canceled++;
      let emptied = 0;
      for (const row of settled) if (await store.emptyMessage(tx, row, ERASED)) emptied += await withFiles(tx, row);
      // One that has changed meanwhile is read again: its event is emptied twice then.
      for (const { id, data } of events) await store.emptyEvent(tx, env_id, { id, data: emptiedMessage(data) });
      await forgetResponses(tx, env_id, idsOf(events));
      await store.claimThreads(tx, env_id, contact.id, threads);
      const waits = canceled + emptied === 0 ? state.waits + 1 : 0;
      return { ...state, waits, messages: state.messages + emptied, events: state.events + events.length };
    };
  }

  async function eraseAudit({ env_id, id }: Person, state: State): Promise<Turn> {
    const rows = await store.auditOf(env_id, id, state.place, ROWS_MAX);
    if (rows.length === 0) return () => ({ ...state, phase: "answers", operation: 0, place: "" });
    const ids = rows.map((row) => row.id);
    return async (tx) => {
      await store.emptyAudit(tx, env_id, ids);
      return { ...state, place: ids.at(-1)! };
    };
  }

  async function eraseAnswers(contact: Person, state: State): Promise<Turn> {
    const { env_id, id } = contact;
    const operation = answering[state.operation];
    if (operation === undefined) return () => ({ ...state, phase: "rest", place: "" });
    const recipients = operation.startsWith("messages.") ? await addressesOf(contact) : [];
    const threads = operation.startsWith("threads.") ? await store.threadsOf(env_id, id, []) : [];
    const texts = [`"${id}"`, ...threads.map((thread) => `"${thread}"`), ...recipients.map((address) => `"to":${JSON.stringify(address)}`)];
    const rows = await store.answers(env_id, operation, state.place, texts, ANSWERS_MAX);
    if (rows.length === 0) return () => ({ ...state, operation: state.operation + 1, place: "" });
    const found = rows.filter((row): row is { key: string; body: string } => row.body !== null);
    // Those beyond are found again by the next step.
    const [now, beyond] = [found.slice(0, ROWS_MAX), found.length > ROWS_MAX];
    const place = beyond ? now.at(-1)!.key : rows.at(-1)!.key;
    return async (tx) => {
      for (const { key, body } of now) {
        await store.emptyAnswer(tx, env_id, operation, key, emptiedAnswer(operation, body, id));
      }
      return { ...state, place };
    };
  }

  /** What bots know of the person, and the row. @param heir_id whose conversations are that were nobody's */
  async function forgetRest(contact: Person, heir_id: string | null = null): Promise<(tx: Tx) => Promise<void>> {
    const addresses = await addressesOf(contact);
    const names = addresses.filter((address) => address.startsWith("@")).map((address) => address.slice(1));
    const chats = addresses.filter((address) => /^\d/.test(address));
    const threads = await store.threadsOf(contact.env_id, contact.id, chats);
    return async (tx) => {
      if (heir_id !== null) await store.claimThreads(tx, contact.env_id, heir_id, threads);
      await store.forgetThreads(tx, contact.env_id, contact.id, threads);
      await store.forgetChats(tx, contact.env_id, chats, names);
      if (contact.row !== null) await points.forgetContact(tx, contact.env_id, contact.row);
      await forgetImports(tx, contact.env_id, contact.id);
      await store.forgetEnrollments(tx, contact.env_id, contact.id);
      await store.forgetLinks(tx, contact.env_id, contact.id);
      await store.remove(tx, contact.env_id, contact.id);
    };
  }

  async function eraseRest(contact: Person, state: State): Promise<Turn> {
    const { env_id, id } = contact;
    const forget = await forgetRest(contact);
    return async (tx) => {
      if (await merges.forgetSome(tx, env_id, id)) return state;
      await forget(tx);
      return { ...state, ...nobody, contacts: state.contacts + 1 };
    };
  }

  /** A contact whose merge can't be undone any more: the person lives on in the survivor, and so does what was theirs. */
  async function lapse(contact: Person, survivor_id: string, state: State): Promise<Turn> {
    const { env_id, id } = contact;
    const survivor = await store.contact(env_id, survivor_id);
    const rows: MessageRow[] = [];
    for (const address of await addressesOf(contact)) rows.push(...(await store.messagesTo(env_id, address, MESSAGES_MAX)));
    const forget = await forgetRest(contact, survivor_id);
    return async (tx) => {
      if (await merges.lapseSome(tx, env_id, id)) return state;
      await merges.adopt(tx, env_id, survivor_id, idsOf(rows));
      if (rows.length > 0) return state;
      if (contact.row !== null && survivor !== undefined) await points.handOn(tx, env_id, contact.row, survivor.row);
      await forget(tx);
      return { ...state, ...nobody, contacts: state.contacts + 1 };
    };
  }

  /** Who became part of a contact goes before it. */
  async function next({ env_id, params, state }: Task): Promise<Turn> {
    const begin = async (id: string): Promise<Turn> => {
      const contact_id = await merges.innermost(env_id, id);
      return () => ({ ...state, contact_id, phase: "merges" });
    };
    if (params.contact_id !== null) {
      const isLeft = state.contacts === 0 || (await store.contact(env_id, params.contact_id)) !== undefined;
      return isLeft ? begin(params.contact_id) : () => null;
    }
    const found = await store.firstDeleted(env_id, params.deleted_before);
    if (found === undefined) return () => null;
    if ((await merges.survivorOf(env_id, found.id)) === null) return begin(found.id);
    return () => ({ ...state, contact_id: found.id, phase: "lapse" });
  }

  async function prepareOf(contact: Person, state: State, signal: AbortSignal): Promise<Turn> {
    const { env_id, id } = contact;
    if (state.phase === "merges")
      return async (tx) => ((await merges.settleSome(tx, env_id, id)) ? state : { ...state, phase: "messages" });
    if (state.phase === "messages") return eraseMessages(contact, state, signal);
    if (state.phase === "events") return told.eraseEvents(contact, state);
    if (state.phase === "deeds") return told.eraseDeeds(contact, state);
    if (state.phase === "audit") return eraseAudit(contact, state);
    return state.phase === "answers" ? eraseAnswers(contact, state) : eraseRest(contact, state);
  }

  return {
    kind: ERASE_TASK,
    begin: () => ({ ...nobody, waits: 0, contacts: 0, messages: 0, events: 0 }),
    async prepare(task, signal) {
      const { env_id, state } = task;
      if (state.contact_id === null) return next(task);
      const id = state.contact_id;
      const [contact, survivor_id] = [await store.contact(env_id, id), await merges.survivorOf(env_id, id)];
      // Another job has erased it meanwhile.
      const isGone =
        survivor_id === null ? contact === undefined || state.phase === "lapse" : contact === undefined && state.phase === "lapse";
      if (isGone) return () => ({ ...state, ...nobody, contacts: state.contacts + 1 });
      const person = contact ?? { env_id, id, row: null, telegram_id: null, username: null, phone: null };
      return state.phase === "lapse" ? lapse(person, survivor_id!, state) : prepareOf(person, state, signal);
    },
    async apply(tx, { state, progress: { total } }, turn): Promise<Step<State>> {
      const after = await turn(tx);
      if (after === null) return { kind: "done", state, progress: { done: state.contacts, total: state.contacts } };
      const step = { state: after, progress: { done: after.contacts, total } };
      if (after.waits <= WAITS_MAX) return { ...step, kind: "more" };
      return { ...step, kind: "failed", error: { code: "unavailable", message: STUCK } };
    },
    result: ({ contacts, messages, events }): Counts => ({ contacts, messages, events }),
  };
}

const idsOf = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

const STUCK = "A message to the person neither leaves nor can be canceled. What was erased stays so; the rest is tried again in 30 days.";
