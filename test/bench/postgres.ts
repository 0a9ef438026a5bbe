import { messageExample } from "#src/modules/messages/examples.ts";
import { prepareData } from "./data.ts";
import { dataFolder, ourProgram, startPosthouse } from "./posthouse.ts";
import { findPostgres, postgresMissing, type PostgresServer, startPostgres } from "./postgres-server.ts";
import { run, scriptPath } from "./process.ts";
import type { Figure, Skipped } from "./report.ts";
import { alternate } from "./rounds.ts";
import { loadRate } from "./sends.ts";

const NAME = "durable sends on PostgreSQL";
const ROUNDS = 5;
const SECONDS = 6;
const PLAN = { connections: 64, warmUpSeconds: 1, seconds: SECONDS };

/** Sends a second on PostgreSQL, against the same transactions by pgbench over ten connections on that server. */
export async function postgres(): Promise<Figure | Skipped> {
  const programs = findPostgres();
  if (programs === undefined) return { name: NAME, reason: postgresMissing };
  await using server = await startPostgres(programs);
  using ourFolder = dataFolder(await server.create("posthouse"));
  using pgbenchFolder = dataFolder(await server.create("pgbench"));
  const { key } = await prepareData(ourFolder.env, { paused: true });
  await prepareData(pgbenchFolder.env, { paused: true });
  await using ours = await startPosthouse(ourFolder);
  const rates = await alternate(
    ROUNDS,
    () => loadRate({ ...PLAN, port: ours.port, key }),
    () => pgbenchRate(programs, server),
  );
  const note = `medians of ${ROUNDS} rounds in turn, ${ourProgram}, 64 connections to it, the account paused; fsync on for both`;
  return { name: NAME, ...rates, against: "pgbench -c 10", unit: "a second", target: { atLeast: 0.5 }, note };
}

const id = "msg_01HKQ9R2X30000000000000000";
const at = "2026-05-06T14:32:18.000Z";
/** Texts with a colon can't stand in the script itself. */
const texts = {
  answer: { id, status: "queued", eta: at },
  data: { ...messageExample, id, status: "queued", attempts: [], sent_at: null },
};

async function pgbenchRate(programs: string, { port }: PostgresServer): Promise<number> {
  const options = ["-n", "-c", "10", "-T", String(SECONDS), "-M", "prepared", "-f", scriptPath("send.pgbench.sql")];
  for (const [name, text] of Object.entries(texts)) options.push("-D", `${name}=${JSON.stringify(text)}`);
  const report = await run([`${programs}/pgbench`, ...options, "-h", "127.0.0.1", "-p", String(port), "-U", "bench", "pgbench"]);
  const rate = Number(/^tps = ([\d.]+)/m.exec(report)?.[1]);
  if (!(rate > 0)) throw new Error(`pgbench tells no rate:\n${report}`);
  return rate;
}
