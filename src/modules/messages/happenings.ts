import type { Tx } from "#src/core/tx.ts";
import type { Inbound } from "#src/modules/connections/model.ts";
import type { EventType } from "#src/modules/events/model.ts";
import type { ThreadBrief, ThreadPlace } from "#src/modules/threads/model.ts";
import { chatRow, contentOf, type HearingAccount, incomingRow, isPerson, type Told, WRITER } from "./incoming.ts";
import { keptContent, toKept } from "./kept-content.ts";
import type { Message, MessageStatus, Person } from "./model.ts";
import { presentInThread, presentMessage } from "./present.ts";
import type { ReceiverNeeds } from "./receive.ts";
import { notesOf } from "./scoring.ts";
import type { MessageRow } from "./store.ts";

type Of<Kind extends Inbound["kind"]> = Extract<Inbound, { kind: Kind }>;
type Noted = Exclude<Inbound, { kind: "received" | "edited" }>;

/** Behind every id of a message. */
const LAST_ID = "msg_~";
/** What was sent is looked through by so many, until none of them was read just now. */
const READ_STEP = 50;

/** What happens to messages that are there, and to the chats that they are in. */
export function createHappenings(needs: ReceiverNeeds) {
  const { store, clock, channels, threads, seen, keepFile, scoring, appendEvent } = needs;

  const placeOf = ({ id }: Pick<HearingAccount, "id">, { chat, topic }: Pick<Inbound, "chat" | "topic">): ThreadPlace => ({
    account_id: id,
    chat_id: chat.id,
    topic_id: topic?.id ?? null,
  });

  function tell(tx: Tx, type: EventType, row: MessageRow, thread: ThreadBrief | null, more: object = {}): void {
    const data = { ...presentInThread(row, thread), ...more };
    appendEvent(tx, row.env_id, { type, subject: row.id, actor: WRITER, data });
  }

  async function threadOf(tx: Tx, { env_id, thread_id }: MessageRow): Promise<ThreadBrief | null> {
    if (thread_id === null) return null;
    return (await threads.byIds(tx, env_id, [thread_id])).get(thread_id) ?? null;
  }

  async function meet(tx: Tx, { env_id }: HearingAccount, person: Person | null, at: number): Promise<string | null> {
    if (!isPerson(person)) return null;
    const contacts = await seen(tx, { env_id, actor: WRITER }, [{ person, at: Math.min(at, clock.now(env_id)) }]);
    return contacts.get(person.telegram_id) ?? null;
  }

  /** As it is once whoever changes it has ended; undefined of one that was erased in the meantime. */
  async function lock(tx: Tx, env_id: number, id: string): Promise<MessageRow | undefined> {
    const row = await store.lock(tx, env_id, id);
    return row?.remote_id === null ? undefined : row;
  }

  /** A message of either side by the channel's id. */
  async function find(tx: Tx, { env_id, ...account }: HearingAccount, item: Pick<Inbound, "chat" | "topic">, remote_id: string) {
    const [received] = await store.severalReceived(tx, env_id, account.id, [[item.chat.id, remote_id]]);
    if (received !== undefined) {
      const row = await lock(tx, env_id, received.id);
      return row && { row, thread: await threadOf(tx, row) };
    }
    for (const thread of await threads.ofChat(tx, env_id, placeOf(account, item))) {
      const found = await store.inThread(tx, env_id, thread.id, remote_id);
      const row = found && (await lock(tx, env_id, found.id));
      if (row !== undefined) return { row, thread };
    }
    return undefined;
  }

  /** @returns the message; an edit that is older than what is known, or changes nothing, is none */
  async function edited(tx: Tx, account: HearingAccount, told: Told, kept: MessageRow): Promise<Message> {
    const row = await lock(tx, kept.env_id, kept.id);
    if (row === undefined) return presentMessage(kept);
    const { reactions } = keptContent(row);
    const content = await contentOf(tx, account, told, keepFile);
    const json = toKept({ ...content, ...(reactions === undefined ? {} : { reactions }) });
    const isSame = row.text === told.text && row.content === json;
    if (told.kind !== "edited" || told.at < (row.edited_at ?? 0) || isSame) return presentMessage(row);
    const after = { ...row, text: told.text, content: json, edited_at: told.at, updated_at: clock.now(row.env_id) };
    store.revise(tx, after);
    await meet(tx, account, told.sender, told.at);
    tell(tx, "message.edited", after, await threadOf(tx, row));
    return presentMessage(after);
  }

  async function reacted(tx: Tx, account: HearingAccount, item: Of<"reacted">): Promise<void> {
    const found = await find(tx, account, item, item.remote_id);
    if (found === undefined) return;
    const { reactions: before = [], ...content } = keptContent(found.row);
    if (JSON.stringify(before) === JSON.stringify(item.reactions)) return;
    const json = toKept({ ...content, ...(item.reactions.length === 0 ? {} : { reactions: [...item.reactions] }) });
    const after = { ...found.row, content: json, updated_at: clock.now(found.row.env_id) };
    store.revise(tx, after);
    await meet(tx, account, item.sender, item.at);
    tell(tx, "message.reacted", after, found.thread, { by: item.sender });
  }

  /** Also of a message that this program has not sent, of which nothing more is known. */
  async function pressed(tx: Tx, account: HearingAccount, item: Of<"pressed">): Promise<void> {
    const { env_id } = account;
    const found = item.remote_id === null ? undefined : await find(tx, account, item, item.remote_id);
    const by_contact_id = await meet(tx, account, item.sender, item.at);
    const more = { by: item.sender, by_contact_id, button: { data: item.data } };
    if (found !== undefined) {
      const after = { ...found.row, updated_at: clock.now(found.row.env_id) };
      store.revise(tx, after);
      tell(tx, "message.button_pressed", after, found.thread, more);
      return;
    }
    const [thread = null] = await threads.ofChat(tx, env_id, placeOf(account, item));
    const nothing = { remote_id: "", text: "", reply_to: null, files: [], location: null, contact_card: null, album_id: null };
    const unknown = incomingRow(
      account,
      channels.get(account.kind)!.name,
      { ...item, ...nothing, start_payload: null, kind: "received" },
      null,
      item.at,
    );
    const message = {
      ...presentMessage({ ...unknown, direction: "out", status: "sent", recipient: recipientOf(item), sender: null }),
      id: null,
    };
    const data = { ...message, thread_id: thread?.id ?? null, contact_id: by_contact_id, thread, ...more };
    appendEvent(tx, env_id, { type: "message.button_pressed", subject: by_contact_id ?? String(account.id), actor: WRITER, data });
  }

  /** What was sent earlier is read too: newest first, until there is nothing that was not. */
  async function read(tx: Tx, account: HearingAccount, item: Of<"read">): Promise<void> {
    const { env_id } = account;
    const read_at = Math.min(item.at, clock.now(env_id));
    const notes: ReturnType<typeof notesOf> = [];
    for (const thread of await threads.ofChat(tx, env_id, placeOf(account, item))) {
      for (let before = LAST_ID, more = true; more;) {
        const rows = await store.sentIn(tx, env_id, thread.id, before, READ_STEP);
        const unread = rows.filter((row) => isReached(row) && isUpTo(row.remote_id, item.up_to));
        for (const { id } of unread) {
          // With what a change of it has made of its text meanwhile.
          const row = await lock(tx, env_id, id);
          if (row === undefined || !isReached(row)) continue;
          const after = { ...row, status: "read", read_at, delivered_at: row.delivered_at ?? read_at, updated_at: clock.now(env_id) };
          await store.record(tx, after, row.status as MessageStatus);
          tell(tx, "message.read", after, thread);
          notes.push(...notesOf(after, ["message.read"]));
        }
        const isBeyond = rows.length > 0 && rows.every((row) => !isUpTo(row.remote_id, item.up_to));
        more = rows.length === READ_STEP && (unread.length > 0 || isBeyond);
        before = rows.at(-1)?.id ?? before;
      }
    }
    await scoring.noted(tx, { env_id, actor: WRITER }, notes);
  }

  return {
    edited,

    /** Takes what is no message. */
    async note(tx: Tx, account: HearingAccount, item: Noted): Promise<null> {
      const { env_id, id } = account;
      switch (item.kind) {
        case "reacted":
          await reacted(tx, account, item);
          return null;
        case "pressed":
          await pressed(tx, account, item);
          return null;
        case "read":
          await read(tx, account, item);
          return null;
        case "reach":
          store.keepChat(tx, chatRow(account, item.chat, clock.now(account.env_id), item.reachable ? null : item.at));
          return null;
        case "topic": {
          const { topic, chat } = item;
          const channel = channels.get(account.kind)!.name;
          if (topic !== null && topic.title !== null)
            await threads.entitle(tx, env_id, { ...placeOf(account, item), channel, type: chat.type, title: topic.title });
          return null;
        }
        case "moved":
          await threads.move(tx, env_id, id, item.chat.id, item.to);
          await store.moveChat(tx, { env_id, account_id: id, chat_id: item.chat.id }, item.to, clock.now(env_id));
          return null;
        default:
          return item satisfies never;
      }
    },
  };
}

const isReached = ({ status }: MessageRow) => status === "sent" || status === "delivered";

/** Telegram numbers the messages of a chat in their order. */
const isUpTo = (remote_id: string | null, up_to: string) => remote_id !== null && Number(remote_id) <= Number(up_to);

function recipientOf({ chat }: Pick<Inbound, "chat">): string {
  return chat.username === null ? chat.id : `@${chat.username.toLowerCase()}`;
}
