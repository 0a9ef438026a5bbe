import type { Tx } from "#src/core/tx.ts";
import type { Outcome } from "#src/jobs/job.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { ThreadBrief, ThreadNews } from "#src/modules/threads/model.ts";
import type { ChatFacts } from "./channel.ts";
import type { Ended, MessageStatus } from "./model.ts";
import type { Tried, Verdict } from "./outcome.ts";
import { endedOf, type Outcomes } from "./outcomes.ts";
import { presentInThread } from "./present.ts";
import { notesOf, score, type Scoring, type Told } from "./scoring.ts";
import type { MessageRow, MessageStore } from "./store.ts";
import type { Threads } from "./threads.ts";

/** What a transaction knows and tells of the messages that it records. */
export interface Book {
  /** By their ids. */
  threads: Map<string, PlacedThread>;
  /** What happened to contacts, for scoring. */
  told: Told;
  /** What came of messages that were made by themselves. */
  ended: Ended[];
}

/** A thread, and the chat that it is in. */
export type PlacedThread = ThreadBrief & { chat_id: string };

export const newBook = (): Book => ({ threads: new Map(), told: [], ended: [] });

interface Needs {
  store: MessageStore;
  threads: Pick<Threads, "byIds" | "wrote">;
  scoring: Scoring;
  outcomes: Outcomes;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
}

/** A try, as far as it tells which conversation the message is in. */
interface Sending {
  ready: {
    row: MessageRow;
    /** The one that it was written in. */
    thread: PlacedThread | null;
    chat_id: string | null;
  };
  result: Tried & { chat: ChatFacts | null };
}

/** Writes what messages become, with their events. */
export function createRecorder({ store, threads, scoring, outcomes, appendEvent }: Needs) {
  return {
    /** @param rows of one environment */
    async open(tx: Tx, rows: readonly MessageRow[]): Promise<Book> {
      const ids = rows.flatMap(({ thread_id }) => thread_id ?? []);
      return { ...newBook(), threads: new Map(ids.length === 0 ? [] : await threads.byIds(tx, rows[0]!.env_id, ids)) };
    },

    /** @returns the outcome for the queue; a message that somebody else has settled meanwhile stays as they left it */
    async write(tx: Tx, { row, events, outcome }: Verdict, from: MessageStatus, book: Book): Promise<Outcome> {
      if (!(await store.record(tx, row, from))) return { kind: "gone" };
      const data = events.length === 0 ? null : presentInThread(row, book.threads.get(row.thread_id ?? "") ?? null);
      for (const type of events) appendEvent(tx, row.env_id, { type, subject: row.id, actor: "job", data: data! });
      book.told.push(...notesOf(row, events));
      const ended = endedOf(row, events);
      if (ended !== null) book.ended.push(ended);
      return outcome;
    },

    /** Finds the threads of messages that were sent. @returns their ids, by the messages' */
    async place(tx: Tx, sendings: readonly Sending[], book: Book): Promise<ReadonlyMap<string, string>> {
      const places = new Map<string, string>();
      for (const [env_id, some] of Map.groupBy(sendings, ({ ready }) => ready.row.env_id)) {
        const news = some.map(newsOf).filter((one) => one !== null);
        const placed = await threads.wrote(tx, env_id, news);
        for (const [at, { message_id, chat_id }] of news.entries()) {
          const thread = placed[at]!;
          places.set(message_id, thread.id);
          book.threads.set(thread.id, { ...thread, chat_id });
        }
      }
      return places;
    },

    async close(tx: Tx, { told, ended }: Book): Promise<void> {
      await score(scoring, tx, told);
      if (ended.length > 0) await outcomes.recorded(tx, ended);
    },
  };
}

/** @returns null where the message has not got to a chat that is known */
function newsOf({ ready: { row, thread, chat_id: known }, result: tried }: Sending): ThreadNews | null {
  const { result, chat, ended_at } = tried;
  if (result.kind !== "sent") return null;
  const { id, channel, account_id, recipient, contact_id } = row;
  const chat_id = chatIdOf(thread?.chat_id ?? chat?.chat_id ?? result.chat_id ?? known ?? recipient);
  if (chat_id === null || account_id === null) return null;
  const type = chat?.type ?? typeOf(chat_id);
  const isAlone = type === "private";
  const topic_id = thread?.topic_id ?? null;
  return {
    account_id,
    chat_id,
    topic_id,
    channel,
    type,
    title: chat === null || topic_id !== null ? null : isAlone ? nameOf(chat) : (chat.title ?? null),
    username: isAlone ? (chat?.username?.toLowerCase() ?? usernameIn(recipient)) : null,
    contact_id: isAlone ? contact_id : null,
    message_id: id,
    at: ended_at,
  };
}

const chatIdOf = (address: string) => (address.startsWith("@") || address.startsWith("+") ? null : address);
const usernameIn = (recipient: string) => (recipient.startsWith("@") ? recipient.slice(1) : null);

/** https://core.telegram.org/api/bots/ids */
function typeOf(chat_id: string): string {
  if (!chat_id.startsWith("-")) return "private";
  return chat_id.startsWith("-100") ? "supergroup" : "group";
}

/** What a person is called; null where nothing is known. */
export function nameOf({ first_name, last_name }: { first_name: string | null; last_name: string | null }): string | null {
  const name = [first_name, last_name].filter((part) => part !== null).join(" ");
  return name === "" ? null : name;
}
