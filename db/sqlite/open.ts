import type { Compilable } from "kysely";
import type { Log } from "#src/core/log.ts";
import type { Database, DatabaseHooks } from "#db/database.ts";
import { asUnavailable } from "#db/errors.ts";
import { READER_MS_MAX, createCheckpoints } from "./checkpoints.ts";
import { closeFile, kyselyOver, openForReading, openForWriting, prepareOn } from "./connection.ts";
import { createPrepare } from "./prepare.ts";
import { createSideThread } from "./side-thread.ts";
import { sqliteTx } from "./transaction.ts";
import { createWriter } from "./writer.ts";

/** A long read waits only for a program that repairs the file after a crash. */
const QUERY_BUSY_MS_MAX = 5_000;

/** Opens or makes the SQLite file at `path`. Does not migrate. */
export function openSqlite(path: string, log: Log, hooks: DatabaseHooks = {}): Database {
  const writing = openForWriting(path);
  const reading = openForReading(path);
  // Two, so that a long read never keeps a checkpoint waiting, nor the writer with it.
  const [checkpointing, querying] = [createSideThread(path, READER_MS_MAX), createSideThread(path, QUERY_BUSY_MS_MAX)];
  const writer = createWriter(writing, log, {
    onCommit(writes, seconds) {
      checkpoints.committed();
      hooks.onCommit?.(writes, seconds);
    },
  });
  const checkpoints = createCheckpoints(writing, checkpointing, writer, log);
  const read = kyselyOver(reading);
  const dataVersion = prepareOn(writing, "PRAGMA data_version");
  let seenVersion = dataVersion.values()[0]?.[0];
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    await writer.close();
    await checkpoints.settled();
    for (const thread of [checkpointing, querying])
      await thread.close().catch((error: unknown) => log.warn("a side thread did not close its file", { error }));
    closeFile(reading);
    try {
      writing.run("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      log.warn("the write-ahead log could not be emptied; the next start does it", { error });
    }
    closeFile(writing);
  }

  return {
    engine: "sqlite",
    read,
    write: writer.write,
    in: (tx) => sqliteTx(tx).kysely,
    prepare: createPrepare(read, writing, reading),
    async slowly<Row>(query: Compilable<Row>) {
      const { sql, parameters } = query.compile();
      try {
        return await querying.query<Row>(sql, parameters);
      } catch (error) {
        throw asUnavailable(error);
      }
    },
    async slowlyCsv(query, columns) {
      const { sql, parameters } = query.compile();
      try {
        return await querying.csv(sql, parameters, columns);
      } catch (error) {
        throw asUnavailable(error);
      }
    },
    calm: checkpoints.calm,
    changedElsewhere() {
      const version = dataVersion.values()[0]?.[0];
      const changed = version !== seenVersion;
      seenVersion = version;
      return changed;
    },
    close: () => (closing ??= close()),
  };
}
