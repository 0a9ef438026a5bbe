import { type Clock, toTime } from "#src/core/clock.ts";
import { AppError, notFound } from "#src/core/errors.ts";
import type { Precondition } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import { mayUse, type Principal } from "#src/core/principal.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { createCache } from "./cache.ts";
import { beginFetching, type Fetched, type Fetching } from "./fetching.ts";
import { type Attachment, type AttachmentType, type File, type FileFolder, nameOf } from "./model.ts";
import { receive, type Taken } from "./receive.ts";
import type { FileRow, FileStore } from "./store.ts";

/** How exactly it is known when a file was last used. */
const USED_STEP_MS = 3_600_000;

export interface Needs<Refusal> {
  store: FileStore;
  clock: Clock;
  folder: FileFolder;
  cacheBytesMax: number;
  /** Asks the channel of a file's account for its bytes. */
  fetch(row: FileRow, signal: AbortSignal): Promise<Fetched<Refusal>>;
  /** A refusal of a channel, for a client. */
  explain(refusal: Refusal): AppError;
  /** The database's `write`. */
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
}

/** A file that was taken in whole, and that has no row yet. */
export interface Upload {
  row: FileRow;
  digest: string;
}

/** A file's bytes: all of them, or as they come from Telegram. */
export type Bytes = { file: File; blob: Blob } | { file: File; fetching: Fetching };

/** A file's bytes for sending, or why there are none. */
type Opened = { kind: "here"; blob: Blob } | { kind: "gone" } | { kind: "unreached"; reason: string };

const brokenOff: Opened = { kind: "unreached", reason: "The file broke off on its way from Telegram." };

export type FileService = ReturnType<typeof createFileService>;

/** Uploads, and what was received: that stays with its channel until somebody asks for it, and is kept for a while then. */
export function createFileService<Refusal extends { kind: string }>(needs: Needs<Refusal>) {
  const { store, clock, folder, write } = needs;
  const cache = createCache(needs);
  const running = new Map<string, Promise<Fetching | Refusal>>();
  const stopping = new AbortController();

  async function find(tx: Tx | null, env_id: number, id: string): Promise<FileRow> {
    const row = await store.get(tx, env_id, id);
    if (row === undefined) throw notFound("file");
    return row;
  }

  /** Its use is noted, so that it stays. */
  async function openKept(row: FileRow): Promise<Blob | null> {
    const blob = row.stored_at === null ? null : await folder.open(nameOf(row));
    if (blob !== null && clock.now() - row.used_at > USED_STEP_MS) await write((tx) => store.set(tx, row, { used_at: clock.now() }));
    return blob;
  }

  /** One at a time of a file, however many ask for it. */
  function fetchOnce(row: FileRow): Promise<Fetching | Refusal> {
    const name = nameOf(row);
    const begun = running.get(name);
    if (begun !== undefined) return begun;
    const fetching = beginFetching<Refusal>(name, {
      folder,
      signal: stopping.signal,
      fetch: (signal) => needs.fetch(row, signal),
      async onKept({ mime, size }) {
        await write((tx) => store.set(tx, row, { mime, size, stored_at: clock.now(), used_at: clock.now() }));
        // Where that fails the hourly sweep does it.
        await cache.added(row, size).catch(() => undefined);
      },
    });
    running.set(name, fetching);
    const forget = () => running.delete(name);
    fetching.then((begun) => (isFetching(begun) ? begun.kept.then(forget, forget) : forget()), forget);
    return fetching;
  }

  async function openFetched(row: FileRow): Promise<Opened | Refusal> {
    const fetching = await fetchOnce(row).catch(() => brokenOff);
    if (!isFetching(fetching)) return fetching;
    const blob = await fetching.kept.then(
      () => folder.open(nameOf(row)),
      () => null,
    );
    return blob === null ? brokenOff : { kind: "here", blob };
  }

  return {
    /**
     * Takes a file in, in whatever time it needs. Its bytes are durable then.
     * @throws AppError `payload_too_large`, `validation_error` for an empty one, `bad_request` when it breaks off, `unavailable`
     */
    async receive(env_id: number, bytes: AsyncIterable<Uint8Array>, given: string | null): Promise<Upload> {
      const now = clock.now();
      const id = newId("fil", now);
      const taken = await receive(folder, bytes, { part: id, name: nameOf({ env_id, id }) });
      return { row: newRow(env_id, id, taken, given, now), digest: taken.digest };
    },

    /** Makes a file of what was received. */
    async create(tx: Tx, { row }: Upload): Promise<File> {
      await store.insert(tx, row);
      return presentFile(row);
    },

    /** Of an upload that came to nothing. Where it fails the hourly sweep finds it. */
    drop: ({ row }: Upload): Promise<void> => folder.remove(nameOf(row)).catch(() => undefined),

    /** @throws AppError `not_found` */
    async get(env_id: number, id: string): Promise<File> {
      return presentFile(await find(null, env_id, id));
    },

    /** Newest first. @throws AppError `validation_error` for a bad cursor */
    async list(env_id: number, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<File>> {
      const before = cursor === undefined ? null : decodeCursor("files", env_id, cursor);
      const [rows, count] = await Promise.all([store.page(env_id, before, offset, limit + 1), store.count(env_id)]);
      return toPage(rows, { list: "files", env_id, limit, offset }, count, presentFile, (row) => row.id);
    },

    /**
     * A file's bytes. Those of a received one are fetched when they are not here, and given on while they come.
     * @throws AppError `not_found`; `conflict` when they can't be had; `unavailable` when not now
     */
    async read(env_id: number, id: string): Promise<Bytes> {
      const row = await find(null, env_id, id);
      const blob = await openKept(row);
      if (blob !== null) return { file: presentFile(row), blob };
      if (row.account_id === null)
        throw new AppError("conflict", "The bytes of this file are lost: they are not in the data folder any more.");
      const fetching = await fetchOnce(row);
      if (!isFetching(fetching)) throw needs.explain(fetching);
      return { file: presentFile({ ...row, mime: fetching.sniffed.mime }), fetching };
    },

    /** For sending: as `read`, once all of it is here. @param signal ends the wait for it, not the transfer */
    async open(env_id: number, id: string, signal: AbortSignal): Promise<Opened | Refusal> {
      const row = await store.get(null, env_id, id);
      if (row === undefined) return { kind: "gone" };
      const blob = await openKept(row);
      if (blob !== null) return { kind: "here", blob };
      return row.account_id === null ? { kind: "gone" } : unlessLeft(signal, openFetched(row));
    },

    /** For a message that may leave at `until` (ms): an upload stays until then at least. @returns undefined when there is no such file */
    async reserve(tx: Tx, env_id: number, id: string, until: number): Promise<(FileRow & { type: AttachmentType }) | undefined> {
      const row = await store.lock(tx, env_id, id);
      if (row === undefined) return undefined;
      if (until - row.used_at > USED_STEP_MS) await store.set(tx, row, { used_at: until });
      return { ...row, type: row.type as AttachmentType };
    },

    /** For whom a file was reserved, but for others until `until` (ms): then it is an upload like any other. */
    async release(tx: Tx, env_id: number, id: string, until: number): Promise<void> {
      const row = await store.lock(tx, env_id, id);
      if (row !== undefined && row.used_at > until) await store.set(tx, row, { used_at: until });
    },

    /** Removes a file for good, wherever it came from. @throws AppError `not_found`; what `check` throws */
    async remove(tx: Tx, principal: Principal, id: string, check: Precondition): Promise<void> {
      const row = await store.lock(tx, principal.env_id, id);
      if (row === undefined || (row.account_id !== null && !mayUse(principal, row.account_id))) throw notFound("file");
      check(presentFile(row));
      await store.remove(tx, row);
      // Where that fails the hourly sweep finds it.
      tx.afterCommit(() => void folder.remove(nameOf(row)).catch(() => undefined));
    },

    /** Removes what was received with a message. @param content of the message: its files are the ids in it */
    async forget(tx: Tx, env_id: number, content: string): Promise<void> {
      const { attachments = [] } = JSON.parse(content) as { attachments?: Attachment[] };
      for (const { file_id } of attachments) {
        const row = file_id === null ? undefined : await store.lock(tx, env_id, file_id);
        if (row === undefined || row.account_id === null) continue;
        await store.remove(tx, row);
        tx.afterCommit(() => void folder.remove(nameOf(row)).catch(() => undefined));
      }
    },

    /** Breaks off what is being fetched, and waits for it to be put away. */
    async stop(): Promise<void> {
      stopping.abort();
      await Promise.allSettled(
        [...running.values()].map(async (begun) => {
          const fetching = await begun;
          if (isFetching(fetching)) await fetching.kept;
        }),
      );
    },

    trim: cache.trim,
  };
}

/** Who is told to stop waits no longer. */
function unlessLeft<T>(signal: AbortSignal, work: Promise<T>): Promise<T | Opened> {
  const left = Promise.withResolvers<Opened>();
  const leave = () => left.resolve({ kind: "unreached", reason: "Stopped before the file had come from Telegram." });
  signal.addEventListener("abort", leave);
  if (signal.aborted) leave();
  return Promise.race([work, left.promise]).finally(() => signal.removeEventListener("abort", leave));
}

function isFetching(begun: { kind: string }): begun is Fetching {
  return begun.kind === "fetching";
}

function newRow(env_id: number, id: string, { mime, type, extension, size }: Taken, given: string | null, now: number): FileRow {
  const name = given ?? `file.${extension}`;
  const times = { stored_at: now, used_at: now, created_at: now };
  return { env_id, id, account_id: null, remote: null, remote_key: null, type, name, mime, size, ...times };
}

/** The only way from a row to what clients see. */
function presentFile({ id, name, type, mime, size, account_id, created_at }: FileRow): File {
  const at = toTime(created_at);
  return { id, name, type: type as AttachmentType, mime, size, account_id, created_at: at, updated_at: at };
}
