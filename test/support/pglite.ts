import { PGlite, type Results } from "@electric-sql/pglite";
import type { Connection, Pool, Result } from "#db/postgres/client.ts";

let shared: Promise<PGlite> | undefined;

/** PostgreSQL in this process: one for the whole run, since it takes seconds to start. */
function start(): Promise<PGlite> {
  // Bun's client gives int8 and numeric as texts; so does this one then.
  shared ??= PGlite.create({ parsers: { 20: String, 1700: String } });
  return shared;
}

/** A pool of one connection on a schema of its own, for the SQL alone: nothing is concurrent in it. */
export async function pglitePool(schema: string): Promise<Pool> {
  const engine = await start();
  await engine.exec(`create schema ${schema}`);

  async function reserve(): Promise<Connection> {
    const unlock = await lock();
    await engine.exec(`set search_path to ${schema}`);
    return {
      unsafe: async (sql, parameters) => toResult(await engine.query(sql, parameters)),
      async release() {
        unlock();
      },
    };
  }

  return {
    reserve,
    async unsafe(sql, parameters) {
      const connection = await reserve();
      try {
        return await connection.unsafe(sql, parameters);
      } finally {
        await connection.release();
      }
    },
    async close() {
      const unlock = await lock();
      await engine.exec(`drop schema ${schema} cascade`);
      unlock();
    },
  };
}

let last: Promise<void> = Promise.resolve();

/** Those who use the one connection wait for one another. */
async function lock(): Promise<() => void> {
  const before = last;
  const mine = Promise.withResolvers<void>();
  last = mine.promise;
  await before;
  return mine.resolve;
}

const writes = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

function toResult({ rows, fields, command = "", rowCount = 0 }: Results): Result {
  return Object.assign(rows, {
    command,
    affectedRows: writes.has(command) ? rowCount : 0,
    columns: fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID, table: 0 })),
  });
}
