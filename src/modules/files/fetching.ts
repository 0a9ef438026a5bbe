import { AppError } from "#src/core/errors.ts";
import { newId } from "#src/core/ids.ts";
import type { Maybe } from "#src/core/tx.ts";
import type { FileFolder } from "./model.ts";
import { sniff, SNIFFED_BYTES, type Sniffed } from "./sniff.ts";

const READ_BYTES = 262_144;
const RETRY_SECONDS = 5;

interface Part {
  bytes: Uint8Array<ArrayBuffer>;
}

/** What a channel answers that is asked for a file: its bytes, or why there are none. */
export type Fetched<Refusal> = { kind: "file"; bytes: ReadableStream<Uint8Array>; size: number | null } | Refusal;

/** A file that is on its way from its channel into the folder. */
export interface Fetching {
  kind: "fetching";
  /** What it is, told by its first bytes. */
  readonly sniffed: Sniffed;
  /** Its bytes from the beginning, as they come. @throws AppError `unavailable` when it breaks off */
  follow(): AsyncGenerator<Part, void, void>;
  /** Resolves once all of it is kept. @throws AppError `unavailable` when it breaks off */
  kept: Promise<void>;
}

interface Needs<Refusal> {
  folder: FileFolder;
  /** Learns that the file is kept under its name. */
  onKept(facts: Sniffed & { size: number }): Promise<void>;
  fetch(signal: AbortSignal): Maybe<Fetched<Refusal>>;
  signal: AbortSignal;
}

/**
 * Begins to fetch a file. It goes on by itself, whoever reads it along, and is there for all who come later.
 * @returns once its first bytes are here
 * @throws AppError `unavailable` when it breaks off before, or the disk is full
 */
export async function beginFetching<Refusal extends { kind: string }>(
  name: string,
  { folder, onKept, fetch, signal }: Needs<Refusal>,
): Promise<Fetching | Refusal> {
  const fetched = await fetch(signal);
  if (!isFile(fetched)) return fetched;
  const file = await folder.begin(newId("fil")).catch(async (error: unknown) => {
    await fetched.bytes.cancel().catch(() => undefined);
    throw error;
  });
  const growth = createGrowth();
  const told = Promise.withResolvers<Sniffed>();
  let users = 1;
  const leave = async () => {
    if (--users === 0) await file.close();
  };

  const kept = (async () => {
    try {
      let sniffed: Sniffed | null = null;
      for await (const bytes of arriving(fetched.bytes)) {
        await file.add(bytes);
        growth.add(bytes.byteLength);
        if (sniffed === null && growth.size() >= SNIFFED_BYTES) told.resolve((sniffed = await sniff(await file.read(0, SNIFFED_BYTES))));
      }
      sniffed ??= await sniff(await file.read(0, SNIFFED_BYTES));
      told.resolve(sniffed);
      await file.keep(name);
      await onKept({ ...sniffed, size: growth.size() });
      growth.end(null);
    } catch (error) {
      growth.end({ error });
      told.reject(error);
      throw error;
    } finally {
      await leave();
    }
  })();
  // Whoever waits for it hears of it, and it may be nobody.
  kept.catch(() => undefined);
  return { kind: "fetching", sniffed: await told.promise, kept, follow };

  async function* follow(): AsyncGenerator<Part, void, void> {
    if (users === 0) {
      yield* readKept();
      return;
    }
    users++;
    try {
      for (let at = 0; await growth.reaches(at + 1);) {
        const bytes = await file.read(at, READ_BYTES);
        at += bytes.byteLength;
        yield { bytes };
      }
    } finally {
      await leave();
    }
  }

  async function* readKept(): AsyncGenerator<Part, void, void> {
    await kept;
    const blob = await folder.open(name);
    if (blob === null) throw brokenOff(new Error("the file was removed before it was read"));
    for await (const bytes of blob.stream()) yield { bytes };
  }
}

function isFile<Refusal extends { kind: string }>(fetched: Fetched<Refusal>): fetched is Extract<Fetched<never>, { kind: "file" }> {
  return fetched.kind === "file";
}

async function* arriving(bytes: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (cause) {
    throw brokenOff(cause);
  }
}

function brokenOff(cause: unknown): AppError {
  return new AppError("unavailable", "The file broke off on its way from Telegram: ask again.", { retryAfter: RETRY_SECONDS, cause });
}

/** How far a file has grown, for those who read it meanwhile. */
function createGrowth() {
  let size = 0;
  let ended: { error: unknown } | "whole" | null = null;
  let next = Promise.withResolvers<void>();
  const tell = () => {
    const { resolve } = next;
    next = Promise.withResolvers();
    resolve();
  };
  return {
    size: () => size,
    add(bytes: number): void {
      size += bytes;
      tell();
    },
    end(fault: { error: unknown } | null): void {
      ended = fault ?? "whole";
      tell();
    },
    /** @returns whether it has so many bytes, once that is known @throws what it broke off for */
    async reaches(bytes: number): Promise<boolean> {
      for (;;) {
        if (size >= bytes) return true;
        if (ended === "whole") return false;
        if (ended !== null) throw ended.error;
        await next.promise;
      }
    },
  };
}
